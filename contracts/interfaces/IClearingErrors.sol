// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Why the proof of a clearing fails. Prices micro-token per kWh, energy Wh.
interface IClearingErrors {
    /// A book is a whole number of 16 byte words.
    error MalformedBook(uint256 bytes_);
    /// The first word of a book has sequence 0; sequences begin with 1.
    error NoSequence();
    /// A word names a point beyond what one proof can hold in memory.
    error PointOutOfRange(uint256 point, uint256 limit);
    /// The batches hold `words` words in all, the book `expected`; or their list has an odd length.
    error MalformedBatches(uint256 words, uint256 expected);
    /// A position beyond 24 bits of Wh, or a point with more words than a record counts.
    error PositionOverflow(uint256 point, int256 soldWh, uint256 words);
    error MoneyOverflow();
    error WrongZoneCount(uint256 posted, uint256 expected);
    error UnknownZone(uint256 zone, uint256 zones);
    /// Within an island with a backup all fees and all tariffs are equal, and buying < selling less fee.
    error InconsistentTariffs(uint256 zone);
    /// The price is not the midpoint rule's: the only price this book supports is `expected`.
    error WrongPrice(uint256 zone, int256 posted, int256 expected);
    /// Here and below, `zone` counts the zones first, then once more for their green orders where these trade apart.
    error MarginalBidOverfilled(uint256 zone, uint256 posted, uint256 available);
    error MarginalOfferOverfilled(uint256 zone, uint256 posted, uint256 available);
    error BackupOverfilled(uint256 zone, uint256 posted, uint256 available);
    /// The backup is filled although the price leaves it out (or partly, where the price takes it whole).
    error BackupAgainstPrice(uint256 zone, uint256 posted, uint256 expected);
    /// Backup energy is used while an equally priced order could take its place.
    error BackupNotLast(uint256 zone);
    error IslandNotBalanced(uint256 root, int256 netExportWh);
    error LineOverloaded(uint256 zone, int256 flowToParentWh, uint256 limitWh);
    /// Fills are not optimal: what was accepted at `lo` excludes what was left at `hi`.
    error NotOptimal(uint256 zone, int256 lo, int256 hi);
    /// More could be traded: a path with room leads from an unfilled marginal offer to an unfilled marginal bid.
    error VolumeNotMaximal(uint256 zone);
    /// Meshed networks have one dual price per limit, radial ones none.
    error WrongDualCount(uint256 posted, uint256 expected);
    /// `flow` = sum of weight x net export, 1e-6 Wh.
    error LimitViolated(uint256 limit, int256 flow, int64 minWh, int64 maxWh);
    /// A dual price of other than zero, although the limit has `slack` 1e-6 Wh left, at least the sum of its weights.
    error LimitNotTight(uint256 limit, int256 mu, int256 slack, int256 weightSum);
    /// A higher dual price than the fills need: with less of it, all other duals given, they were supported too.
    error DualNotNeeded(uint256 limit, int256 mu);
    /// No price of the island supports the fills with these duals: `lo` is above `hi` by a unit (1e12) or more.
    error DualsContradictFills(uint256 root, int256 lo, int256 hi);
    /// One fill per bilateral trade.
    error WrongTradeCount(uint256 posted, uint256 expected);
    /// More than the trade's limit; between islands the limit is 0.
    error TradeOverfilled(uint256 trade, uint256 filledWh, uint256 limitWh);
    /// The trade would pay the price difference, and more of it could flow.
    error TradeNotFull(uint256 trade, uint256 filledWh, uint256 limitWh);
    /// The trade does not pay the price difference.
    error TradeAgainstSpread(uint256 trade, uint256 filledWh);
    /// A live bid in the zone is green only, and no green prices are posted.
    error GreenNotPosted(uint256 zone);
    /// Green-only bids take more than green offers give.
    error GreenNotCovered(uint256 root, int256 slackWh);
    /// A premium, although green offers give more than green-only bids take.
    error GreenNotTight(uint256 root, int256 slackWh);
    /// Green price less zone price is not the smallest premium that supports the fills of the island.
    error WrongPremium(uint256 zone, int256 posted, int256 expected);
    /// The batches of a part lead from the hash that it states to `got`, not to where the part after it begins.
    error PartMismatch(bytes32 expected, bytes32 got);
    /// The state that was handed in is not what the sender's last part left.
    error StaleProgress(bytes32 expected, bytes32 got);
    /// Other postings or claims than those of the first part.
    error OtherSubmission(bytes32 expected, bytes32 got);
    /// The words at the price are not what was claimed of them. `group` counts five per record: offers, then bids by class.
    error WrongClaim(uint256 group);
}
