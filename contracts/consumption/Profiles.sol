// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeteringPoints, Point} from "../interfaces/IMeteringPoints.sol";
import {IProfiles, Preferences} from "../interfaces/IProfiles.sol";

/// See IProfiles for what each function does.
contract Profiles is IProfiles {
    uint8 private constant HIGHEST_PRIORITY = 3;
    uint256 private constant SET = 1 << 7;
    uint256 private constant HAS_CEILING = 1 << 5;
    uint256 private constant GREEN_ONLY = 1 << 4;

    IMeteringPoints public immutable meteringPoints;

    /// bits 255..56 blob's hash, 55..16 price ceiling, 15..8 handovers of the point, 7 set, 5 has a ceiling, 4 green only, 3..0 priority.
    mapping(uint256 point => uint256 word) private _profiles;

    constructor(IMeteringPoints meteringPoints_) {
        meteringPoints = meteringPoints_;
    }

    function setProfile(
        uint32 point,
        Preferences calldata preferences,
        bytes32 blobHash,
        string calldata uri,
        bytes calldata blob
    ) external {
        Point memory terms = meteringPoints.pointOf(point);
        if (terms.owner != msg.sender) revert NotOwner(point, msg.sender);
        if (preferences.priority > HIGHEST_PRIORITY) revert UnknownPriority(preferences.priority);
        if (blob.length != 0 && keccak256(blob) != blobHash) revert BlobMismatch(blobHash, keccak256(blob));
        uint256 word = (uint256(blobHash) >> 56) << 56;
        word |= uint256(uint40(preferences.priceCeiling)) << 16;
        word |= (uint256(terms.handovers) << 8) | SET | preferences.priority;
        if (preferences.hasCeiling) word |= HAS_CEILING;
        if (preferences.greenOnly) word |= GREEN_ONLY;
        _profiles[point] = word;
        emit ProfileSet(point, msg.sender, blobHash, preferences, uri, blob);
    }

    function profileOf(uint32 point) external view returns (Preferences memory preferences, bytes25 blobHash) {
        uint256 word = _profiles[point];
        bool counts = word & SET != 0 && uint8(word >> 8) == meteringPoints.pointOf(point).handovers;
        if (!counts) return (preferences, blobHash);
        preferences.greenOnly = word & GREEN_ONLY != 0;
        preferences.hasCeiling = word & HAS_CEILING != 0;
        preferences.priceCeiling = int40(uint40(word >> 16));
        preferences.priority = uint8(word & 0xf);
        blobHash = bytes25(bytes32(word));
    }
}
