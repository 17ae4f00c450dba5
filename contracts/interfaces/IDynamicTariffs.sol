// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TariffInputs, TariffParameters} from "../libraries/DynamicPricing.sol";
import {SlotTerms} from "../libraries/MarketTypes.sol";
import {ClearingRecord} from "./IAuction.sol";

/// What the clearings of a window say.
struct TariffSignals {
    int32 scarcityPpm;
    int32 congestionPpm;
}

/// @title Dynamic tariffs: the terms of the next slots as a pure function of the parameters, the last clearings and the weather.
/// @notice Nobody has a choice in them. Parameters change with notice, from a midnight (UTC) on whose book cannot be open yet. The terms of a
/// step are published from `leadSlots` slots before it on, by anybody, from the clearings of a fixed window that had all started by
/// then: whether and how these slots were cleared is decided, so it does not matter who publishes when. A slot
/// that was not cleared says nothing. In slots that parameters govern nobody publishes by hand (ITariffs.GovernedSlot).
///
/// **Signals**, in millionths. Scarcity: energy bought less energy sold in the auctions of the window, by their sum. Congestion: congestion rent
/// per kWh of the larger of the two, by `fullRent`. Weather: what a quorum of the oracle committee foresees for the hour, in percent from
/// -100 to 100; what a positive index means (a cold evening, a dark day) is the operator's choice with the sensitivities. No index
/// counts as zero.
interface IDynamicTariffs {
    event ParametersAnnounced(uint32 indexed fromSlot, TariffParameters parameters);
    event SwitchedOff(uint32 indexed fromSlot);
    /// One signed byte per hour of the UTC day, percent.
    event WeatherIndexed(uint32 indexed day, uint8 version, bytes24 percentByHour, uint32 signers);
    /// The terms themselves: ITariffs.TermsPublished.
    event DynamicTermsPublished(uint32 indexed firstSlot, uint32 throughSlot, TariffSignals signals);

    error NotMidnight(uint32 fromSlot);
    error NoticeTooShort(uint32 fromSlot, uint32 earliest);
    /// The last change is not in force yet and too near to be replaced.
    error ChangePending(uint32 fromSlot);
    error NotSwitchedOn(uint32 slot);
    /// A step divides 96; lead + step are at most 120; a window has 1 to 32 slots.
    error TimingOutOfRange(uint8 leadSlots, uint8 stepSlots, uint8 windowSlots);
    error WrongTableLength(uint256 length);
    error DayOutside(uint32 day, uint32 firstDay, uint32 lastDay);
    error WeatherNotNewer(uint32 day, uint8 version, uint8 current);
    error RecordsLeftOver(uint256 used, uint256 given);

    /// Sets the parameters from `fromSlot` on, a midnight at least NOTICE_SLOTS ahead. Restricted to the operator. Levels and band lie within
    /// those of Tariffs, bandMax + fee is at most the emergency price, and exportMin < importMin - fee (ITariffs' errors).
    function announce(uint32 fromSlot, TariffParameters calldata parameters) external;

    /// From `fromSlot` on terms are published by hand again. The same notice. Restricted to the operator.
    function switchOff(uint32 fromSlot) external;

    /// The weather index of a day, today's or of the next two, from a quorum of the committee; a higher version replaces it for slots
    /// that are not published yet. Anyone may send it.
    /// EIP-712: Weather(uint32 day,uint8 version,bytes24 percentByHour); name "DAEG", version "1", chainId, this contract.
    function index(uint32 day, uint8 version, bytes24 percentByHour, bytes calldata signatures) external;

    /// Publishes the rest of the step that is next. Anyone.
    /// @param records the accepted clearings of the window's slots, ascending, without those that were not cleared
    function publishNext(ClearingRecord[] calldata records) external;

    /// What `publishNext` would publish now, with the same errors.
    function preview(
        ClearingRecord[] calldata records
    ) external view returns (uint32 firstSlot, TariffSignals memory signals, SlotTerms[] memory terms);

    /// The pure function itself (DynamicPricing). Meaningful for parameters that `announce` would take.
    function tariffOf(
        TariffParameters calldata parameters,
        TariffInputs calldata inputs
    ) external pure returns (SlotTerms memory);

    /// The slots that `publishNext` publishes next, the chain time from which it does, and the first slot of the window.
    function nextStep()
        external
        view
        returns (uint32 firstSlot, uint32 throughSlot, uint256 fromTime, uint32 windowFrom, uint32 windowSlots);

    /// Whether parameters govern the first or the last of these slots: there nobody publishes by hand.
    function governs(uint32 firstSlot, uint32 lastSlot) external view returns (bool);
    function parametersOf(uint32 slot) external view returns (TariffParameters memory);
    /// Millionths; 0 without an index.
    function weatherOf(uint32 slot) external view returns (int32 ppm);
    /// Version (0 = none) and index of a day; only the last four days are kept.
    function weatherOfDay(uint32 day) external view returns (uint8 version, bytes24 percentByHour);
    function NOTICE_SLOTS() external view returns (uint32);
}
