// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The public part of a profile: what the market needs to know of a metering point's wishes.
struct Preferences {
    /// Buy only energy whose origin is certified as green.
    bool greenOnly;
    /// `priceCeiling` counts.
    bool hasCeiling;
    /// The most that is bid for energy, micro-token per kWh, fee included.
    int40 priceCeiling;
    /// Class that the owner asks for where energy is rationed: 0 normal, 1 opportunistic, 2 critical, 3 emergency. A wish: the operator grants.
    uint8 priority;
}

/// @title Profiles: what a metering point's owner says of it. An encrypted blob by its hash, and the flags that the market needs.
/// @notice The chain keeps one word per point; the blob itself (encrypted by the owner's own software, for whom he chooses) is in the event or
/// behind its URI. When a point changes hands, its profile counts no longer.
interface IProfiles {
    event ProfileSet(
        uint32 indexed point,
        address indexed owner,
        bytes32 blobHash,
        Preferences preferences,
        string uri,
        bytes blob
    );

    error NotOwner(uint32 point, address caller);
    error UnknownPriority(uint8 priority);
    /// The blob given is not the one that was hashed.
    error BlobMismatch(bytes32 expected, bytes32 got);

    /// Replaces the profile of a point. Only its owner.
    /// @param blobHash keccak256 of the encrypted blob; zero without one. The chain keeps its first 25 bytes.
    /// @param uri where the blob is found; may be empty
    /// @param blob the encrypted blob, to have it in the event; may be empty
    function setProfile(
        uint32 point,
        Preferences calldata preferences,
        bytes32 blobHash,
        string calldata uri,
        bytes calldata blob
    ) external;

    /// What the present owner said; nothing (zeros) if he said nothing yet.
    function profileOf(uint32 point) external view returns (Preferences memory preferences, bytes25 blobHash);
}
