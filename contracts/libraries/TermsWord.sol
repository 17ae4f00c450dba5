// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTerms} from "./MarketTypes.sol";

/// The terms of one slot in one storage word. The slot's number makes an entry of an older lap of the ring recognisable.
///
///   bits 255..232 slot       bits 231..192 reference_  bits 191..152 bandMax  bits 151..112 bandMin
///   bits 111..80  fee        bits 79..40   exportTariff  bits 39..0  importTariff
type TermsWord is uint256;

using TermsWordLibrary for TermsWord global;

library TermsWordLibrary {
    function pack(uint32 slot_, SlotTerms calldata terms) internal pure returns (TermsWord) {
        uint256 band =
            (uint256(uint40(terms.reference_)) << 192) |
                (uint256(uint40(terms.bandMax)) << 152) |
                (uint256(uint40(terms.bandMin)) << 112);
        return
            TermsWord.wrap(
                (uint256(uint24(slot_)) << 232) |
                    band |
                    (uint256(terms.fee) << 80) |
                    (uint256(uint40(terms.exportTariff)) << 40) |
                    uint256(uint40(terms.importTariff))
            );
    }

    function unpack(TermsWord word) internal pure returns (SlotTerms memory terms) {
        terms.importTariff = word.importTariff();
        terms.exportTariff = word.exportTariff();
        terms.fee = word.fee();
        terms.bandMin = word.bandMin();
        terms.bandMax = word.bandMax();
        terms.reference_ = word.reference_();
    }

    function slot(TermsWord word) internal pure returns (uint32) {
        return uint32(TermsWord.unwrap(word) >> 232);
    }

    function isPublished(TermsWord word) internal pure returns (bool) {
        return TermsWord.unwrap(word) != 0;
    }

    function importTariff(TermsWord word) internal pure returns (int40) {
        return int40(uint40(TermsWord.unwrap(word)));
    }

    function exportTariff(TermsWord word) internal pure returns (int40) {
        return int40(uint40(TermsWord.unwrap(word) >> 40));
    }

    function fee(TermsWord word) internal pure returns (uint32) {
        return uint32(TermsWord.unwrap(word) >> 80);
    }

    function bandMin(TermsWord word) internal pure returns (int40) {
        return int40(uint40(TermsWord.unwrap(word) >> 112));
    }

    function bandMax(TermsWord word) internal pure returns (int40) {
        return int40(uint40(TermsWord.unwrap(word) >> 152));
    }

    function reference_(TermsWord word) internal pure returns (int40) {
        return int40(uint40(TermsWord.unwrap(word) >> 192));
    }
}
