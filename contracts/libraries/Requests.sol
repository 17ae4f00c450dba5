// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RequestStanding} from "../interfaces/IStorageShares.sol";

/// Requests of one kind in batches of one day each, executed in parts. Every holder has at most one open request; what a batch gave is
/// shared in proportion, rounded down: the parts are never more than the whole.
library Requests {
    using Math for uint256;

    struct Batch {
        uint256 asked;
        /// Executed so far, and what it gave.
        uint256 done;
        uint256 given;
        /// Nothing more is executed: what is not done is returned.
        bool closed;
    }

    struct Holding {
        RequestStanding standing;
        /// What of the open request's batch stands in `standing.done` and `standing.given` already.
        uint256 countedDone;
        uint256 countedGiven;
    }

    struct Book {
        /// Asked for, and neither executed nor returned.
        uint256 pending;
        mapping(uint256 day => Batch) batches;
        mapping(address holder => Holding) holdings;
    }

    /// @return openDay `day`, or that of an open request of another day: then nothing was added
    function add(Book storage self, address holder, uint32 day, uint256 amount) internal returns (uint32 openDay) {
        Holding memory holding = _counted(self, holder);
        RequestStanding memory standing = holding.standing;
        if (standing.asked != 0 && standing.day != day) return standing.day;
        standing.day = day;
        standing.asked += amount;
        self.holdings[holder] = holding;
        self.batches[day].asked += amount;
        self.pending += amount;
        return day;
    }

    /// Executes `done` of a batch for `given`.
    function execute(Book storage self, uint32 day, uint256 done, uint256 given) internal {
        Batch storage batch = self.batches[day];
        batch.done += done;
        batch.given += given;
        self.pending -= done;
    }

    /// Returns what of the batch is not executed.
    function close(Book storage self, uint32 day) internal returns (uint256 returned) {
        Batch storage batch = self.batches[day];
        returned = batch.asked - batch.done;
        batch.closed = true;
        self.pending -= returned;
    }

    /// Takes what `done` of the holder's executed requests gives, rounded down. The caller checked that there is as much.
    function take(Book storage self, address holder, uint256 done) internal returns (uint256 given) {
        Holding memory holding = _counted(self, holder);
        RequestStanding memory standing = holding.standing;
        given = standing.done == 0 ? 0 : done.mulDiv(standing.given, standing.done);
        _take(self, holder, holding, done, given);
    }

    /// Takes `given`; returns what of the executed requests it uses up, rounded up.
    function takeGiven(Book storage self, address holder, uint256 given) internal returns (uint256 done) {
        Holding memory holding = _counted(self, holder);
        RequestStanding memory standing = holding.standing;
        done = standing.given == 0 ? 0 : given.mulDiv(standing.done, standing.given, Math.Rounding.Ceil);
        _take(self, holder, holding, done, given);
    }

    function takeReturned(Book storage self, address holder) internal returns (uint256 returned) {
        Holding memory holding = _counted(self, holder);
        returned = holding.standing.returned;
        holding.standing.returned = 0;
        self.holdings[holder] = holding;
    }

    /// What of a batch is neither executed nor returned.
    function openOn(Book storage self, uint32 day) internal view returns (uint256) {
        Batch storage batch = self.batches[day];
        return batch.closed ? 0 : batch.asked - batch.done;
    }

    function askedOn(Book storage self, uint32 day) internal view returns (uint256) {
        return self.batches[day].asked;
    }

    function standingOf(Book storage self, address holder) internal view returns (RequestStanding memory standing) {
        Holding memory holding = _counted(self, holder);
        standing = holding.standing;
        if (standing.asked != 0) standing.asked -= holding.countedDone;
    }

    /// With what the batch of the open request gave since it was last counted. `asked` is the whole request while it is open.
    function _counted(Book storage self, address holder) private view returns (Holding memory holding) {
        holding = self.holdings[holder];
        RequestStanding memory standing = holding.standing;
        if (standing.asked == 0) return holding;
        Batch storage batch = self.batches[standing.day];
        uint256 done = standing.asked.mulDiv(batch.done, batch.asked);
        uint256 given = standing.asked.mulDiv(batch.given, batch.asked);
        standing.done += done - holding.countedDone;
        standing.given += given - holding.countedGiven;
        (holding.countedDone, holding.countedGiven) = (done, given);
        if (!batch.closed) return holding;
        standing.returned += standing.asked.mulDiv(batch.asked - batch.done, batch.asked);
        standing.asked = 0;
        (holding.countedDone, holding.countedGiven) = (0, 0);
    }

    function _take(Book storage self, address holder, Holding memory holding, uint256 done, uint256 given) private {
        holding.standing.done -= done;
        holding.standing.given -= given;
        self.holdings[holder] = holding;
    }
}
