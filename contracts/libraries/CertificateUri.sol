// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {GeneratorKind} from "../interfaces/IGenerators.sol";
import {CalendarMonth} from "./CalendarMonth.sol";

// JSON and SVG are full of double ones.
// solhint-disable quotes

/// ERC-1155 metadata of a certificate as a data URI: JSON with name, description, picture and properties.
library CertificateUri {
    using Strings for uint256;

    uint256 private constant SLOTS_PER_DAY = 96;
    uint256 private constant SLOTS_PER_HOUR = 4;

    function dataUri(uint32 generator, uint32 slot, GeneratorKind kind) internal pure returns (string memory) {
        string memory name = kindName(kind);
        string memory start = startOf(slot);
        return
            string.concat(
                "data:application/json;base64,",
                Base64.encode(bytes(_json(name, colourOf(kind), uint256(generator).toString(), slot, start)))
            );
    }

    /// Start of the slot, ISO 8601 in UTC.
    function startOf(uint32 slot) internal pure returns (string memory) {
        (uint256 year, uint256 month, uint256 day) = CalendarMonth.dateOf(slot);
        uint256 quarter = slot % SLOTS_PER_DAY;
        return
            string.concat(
                string.concat(year.toString(), "-", _two(month), "-", _two(day)),
                string.concat("T", _two(quarter / SLOTS_PER_HOUR), ":", _two((quarter % SLOTS_PER_HOUR) * 15), "Z")
            );
    }

    function kindName(GeneratorKind kind) internal pure returns (string memory) {
        if (kind == GeneratorKind.Solar) return "solar";
        if (kind == GeneratorKind.Wind) return "wind";
        if (kind == GeneratorKind.Hydro) return "hydro";
        if (kind == GeneratorKind.Conventional) return "conventional";
        return "microgrid";
    }

    function colourOf(GeneratorKind kind) internal pure returns (string memory) {
        if (kind == GeneratorKind.Solar) return "e0a100";
        if (kind == GeneratorKind.Wind) return "3f7fb5";
        if (kind == GeneratorKind.Hydro) return "14607a";
        return "4c8a3f";
    }

    function _json(
        string memory kind,
        string memory colour,
        string memory generator,
        uint32 slot,
        string memory start
    ) private pure returns (string memory) {
        string memory head = string.concat('{"name":"Wh of ', kind, " ", generator, ", ", start, '","decimals":0,');
        string memory text = string.concat(
            '"description":"One unit is one Wh of metered ',
            kind,
            " energy, fed in by generator ",
            generator,
            " within 15 minutes from ",
            start,
            '.",'
        );
        string memory properties = string.concat(
            '"properties":{"generator":',
            generator,
            ',"kind":"',
            kind,
            '","slot":',
            uint256(slot).toString(),
            string.concat(',"start":"', start, '","seconds":900,"Wh":1}}')
        );
        return string.concat(head, text, '"image":"', _image(kind, colour, start), '",', properties);
    }

    function _image(
        string memory kind,
        string memory colour,
        string memory start
    ) private pure returns (string memory) {
        string memory svg = string.concat(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 300" font-family="sans-serif" fill="#fff">',
            '<rect width="300" height="300" fill="#',
            colour,
            '"/><text x="24" y="150" font-size="48">',
            kind,
            string.concat('</text><text x="24" y="190" font-size="22">', start, "</text></svg>")
        );
        return string.concat("data:image/svg+xml;base64,", Base64.encode(bytes(svg)));
    }

    function _two(uint256 value) private pure returns (string memory) {
        return value < 10 ? string.concat("0", value.toString()) : value.toString();
    }
}
