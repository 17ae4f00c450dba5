// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {GridZone} from "../../../contracts/interfaces/IGrid.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {CHEATS} from "./Cheats.sol";
import {Model} from "./Model.sol";
import {World} from "./World.sol";

/// What the handler knows of the market by its own account: nothing here is read from the contracts.
abstract contract Ghost is World {
    struct Slot {
        SlotTerms terms;
        bool published;
        bytes book;
        bytes batches;
        bytes32 bookHash;
        /// abi.encode(ClearingRecord); empty while the slot is not cleared.
        bytes record;
        /// Newest report, and the one that the slot was settled with.
        uint8 version;
        uint8 settledVersion;
        /// 0 open, 1 estimated, 2 settled.
        uint8 status;
        uint32 since;
        /// What settlement paid, by account (Model), without word fees.
        int256[] paid;
    }

    /// A void in a slot's book: what stands before `words` of `zones` does not count.
    struct Void {
        uint256 words;
        uint256 zones;
    }

    struct Standing {
        int256 credit;
        int256 drawn;
        int256 owedToFund;
        int256 short;
        uint32 since;
    }

    struct GridVersion {
        uint32 fromSlot;
        bool islanded;
    }

    struct Request {
        uint256 amount;
        uint32 slot;
    }

    uint256 internal now_;
    mapping(uint32 slot => Slot) internal slots;
    mapping(uint32 slot => Void[]) internal voids;
    mapping(uint32 slot => mapping(uint256 version => bytes)) internal readingsOf;
    mapping(uint32 slot => mapping(uint256 point => uint8)) internal sequences;
    /// First slot without published terms.
    uint32 internal unpublished = GENESIS;
    uint32 internal finalThrough = GENESIS - 1;
    /// Lowest slot that is not settled; those above it that are.
    uint32 internal firstUnsettled = GENESIS;
    uint32[] internal settledAhead;
    /// Slots settled on a report, in order of settlement.
    uint32[] internal settledSlots;
    GridVersion[] internal versions;
    bool internal zoneEverIslanded;

    int256[13] internal balances;
    Standing[8] internal standings;
    uint8[] internal zoneOf;
    uint256[] internal ownerKeys;
    uint256 internal keysMade;
    uint24[3][] internal ratings;
    uint8[] internal priorities;
    mapping(address clearer => int256 nano) internal earned;
    mapping(uint256 account => Request) internal requests;
    int256 internal depositedNano;
    int256 internal withdrawnNano;
    uint8 internal state;
    uint8 internal announced;
    uint256 internal announcedFrom;
    /// Last slot that each point's margin was found to suffice for, and money that it lost since in ways that no margin is for.
    uint32[8] internal marginedThrough;
    int256[8] internal unpromised;
    /// Whether it must be found to suffice anew before the next order: a module took money, or more than it was for can be lost.
    bool[8] internal dropped;
    int256 internal constant NO_PROMISE = 1 << 200;

    /// How often things happened, so that a test can tell that they do.
    mapping(bytes32 what => uint256) public happened;

    function _count(bytes32 what) internal {
        ++happened[what];
    }

    constructor() {
        versions.push(GridVersion(0, false));
        now_ = block.timestamp;
    }

    /// A number that no run shares with the next.
    function turn() external view returns (uint256) {
        return uint256(keccak256(abi.encode(now_, balances)));
    }

    function _goTo(uint256 time) internal {
        if (time > now_) now_ = time;
        CHEATS.warp(now_);
    }

    function _current() internal view returns (uint32) {
        return uint32(now_ / 900);
    }

    function _gate(uint32 slot) internal pure returns (uint256) {
        return uint256(slot) * 900 - 600;
    }

    function _owner(uint256 point) internal view returns (address) {
        return CHEATS.addr(ownerKeys[point]);
    }

    /// The newest version that starts at or before the slot.
    function _islanded(uint32 slot) internal view returns (bool) {
        for (uint256 i = versions.length; i != 0; --i) {
            if (versions[i - 1].fromSlot <= slot) return versions[i - 1].islanded;
        }
        return false;
    }

    function _networkOf(uint32 slot) internal view returns (GridZone[] memory zones) {
        zones = _zones();
        if (_islanded(slot)) zones[1] = GridZone(1, 0, 0, 0);
    }

    function _perSlot(uint256 point) internal view returns (int256) {
        uint24[3] storage r = ratings[point];
        return
            Model.marginPerSlot(
                Model.Rating(
                    int256(uint256(r[0])),
                    int256(uint256(r[1])),
                    int256(uint256(r[2])),
                    zoneEverIslanded && zoneOf[point] == 1
                ),
                Model.Bounds(
                    HIGHEST_IMPORT,
                    LOWEST_EXPORT,
                    LOWEST_PRICE,
                    HIGHEST_PRICE,
                    int256(uint256(WORD_FEE)),
                    int256(uint256(PENALTY))
                )
            );
    }

    /// Slots from the first not final to `last`.
    function _openSlots(uint32 last) internal view returns (int256) {
        return last > finalThrough ? int256(uint256(last - finalThrough)) : int256(0);
    }

    function _recordOf(uint32 slot) internal view returns (ClearingRecord memory record) {
        bytes memory encoded = slots[slot].record;
        if (encoded.length != 0) return abi.decode(encoded, (ClearingRecord));
        record.slot = slot;
        record.prices = new int64[](0);
    }

    /// What settling the slot with these readings pays.
    function _paymentsOf(
        uint32 slot,
        bytes memory readings,
        bool estimated
    ) internal view returns (int256[] memory nano, int256[] memory unmet) {
        Slot storage s = slots[slot];
        Model.Slot memory m;
        m.terms = s.terms;
        m.published = s.published;
        m.cleared = s.record.length != 0;
        m.estimated = estimated;
        m.record = _recordOf(slot);
        m.readings = readings;
        m.zoneOf = zoneOf;
        m.backed = _islanded(slot) ? 1 : 3;
        return Model.payments(m);
    }

    /// Number of the account in the ledger.
    function _account(uint256 index) internal pure returns (uint32) {
        return index < Model.MOST_POINTS ? uint32(index) : type(uint32).max - uint32(index - Model.BACKUP);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = CHEATS.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _typed(address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DAEG"),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
