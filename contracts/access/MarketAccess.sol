// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// Who may register points, set the network, publish tariffs, set the committee and certify generators. Nothing here reaches the ledger, the
/// books, the auction or settlement: those have no restricted call.
contract MarketAccess is AccessManager {
    /// The grid operator.
    uint64 public constant OPERATOR_ROLE = 1;
    /// May cancel what the operator scheduled, nothing else.
    uint64 public constant GUARDIAN_ROLE = 2;
    /// Certifies generators as renewable, and revokes.
    uint64 public constant CERTIFIER_ROLE = 3;
    /// Accredited to record maintenance of generators.
    uint64 public constant MAINTAINER_ROLE = 4;
    /// Publish terms: the grid operator, and dynamic tariffs where they govern.
    uint64 public constant TARIFF_PUBLISHER_ROLE = 9;
    /// Names the oracle's committee: the admin's account, with its delay.
    uint64 public constant COMMITTEE_ROLE = 10;
    /// Accredited to announce demand-response events, with its own money.
    uint64 public constant ACCREDITED_ROLE = 5;
    /// Publishes the carbon intensity of the grid.
    uint64 public constant PUBLISHER_ROLE = 7;
    /// Manages the community battery: its key, its trading limit, and how much of its money trades.
    uint64 public constant STORAGE_MANAGER_ROLE = 8;

    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
