// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// UTC dates of slots in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms",
/// civil_from_days).
library CalendarMonth {
    uint256 private constant SLOTS_PER_DAY = 96;

    /// Months since year 0: 12 x year + month - 1.
    function monthOf(uint256 slot) internal pure returns (uint16) {
        (uint256 year, uint256 month, ) = dateOf(slot);
        return uint16(12 * year + month - 1);
    }

    function dateOf(uint256 slot) internal pure returns (uint256 year, uint256 month, uint256 day) {
        unchecked {
            // Days since 0000-03-01, so that the leap day is the last of its year; then eras of 400 years.
            uint256 z = slot / SLOTS_PER_DAY + 719_468;
            uint256 era = z / 146_097;
            uint256 dayOfEra = z % 146_097;
            uint256 yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
            uint256 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
            uint256 fromMarch = (5 * dayOfYear + 2) / 153;
            day = dayOfYear - (153 * fromMarch + 2) / 5 + 1;
            month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        }
    }
}
