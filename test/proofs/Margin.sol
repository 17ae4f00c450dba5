// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Section 7 of docs/clearing-proof.md: what one slot can cost an account, for all ratings, tariffs, prices, positions and readings.
/// Nonlinear, so each case is written in what is left between two quantities (never negative); `r`, `l`, `e` are ratings and
/// trading limit, `p` the position, `T`, `F` the bounds of the tariffs. test/solidity/Arithmetic.t.sol compares the formula with
/// MarginPages.perSlot and the payments with SlotPayments.
contract BoughtTooLittle {
    /// A slot's margin covers a buyer that used more than it bought, at any price up to the import tariff.
    function boughtTooLittle(
        int256 p,
        int256 a,
        int256 b,
        int256 c,
        int256 T,
        int256 D,
        int256 k,
        int256 x
    ) external pure {
        require(p >= 0 && a >= 0 && b >= 0 && c >= 0 && T >= 0 && D >= 0 && k >= 0 && x >= 0);
        require(p < 1e9 && a < 1e9 && b < 1e9 && c < 1e9 && T < 1e12 && D < 1e12 && k < 1e12);
        int256 r = p + a;
        int256 l = p + b;
        int256 m = c - r;
        assert(r * T + l * D + x - p * (T - k) + (m + p) * T >= 0);
    }
}

contract BoughtTooMuch {
    /// It covers a buyer that used less than it bought, where the export tariff is not negative.
    function boughtTooMuch(int256 p, int256 a, int256 b, int256 s, int256 F, int256 D, int256 k) external pure {
        require(p >= 0 && a >= 0 && b >= 0 && s >= 0 && F >= 0 && D >= 0 && k >= 0);
        require(p < 1e9 && a < 1e9 && b < 1e9 && s < 1e9 && F < 1e12 && D < 1e12 && k < 1e12);
        assert((p + a) * (F + D) + (p + b) * D - p * (F + D - k) + s * F >= 0);
    }
}

contract BoughtTooMuchNegative {
    /// It covers a buyer that used less than it bought, where the export tariff -N is negative.
    function boughtTooMuchNegative(
        int256 p,
        int256 a,
        int256 b,
        int256 e,
        int256 q,
        int256 T,
        int256 N,
        int256 k
    ) external pure {
        require(p >= 0 && a >= 0 && b >= 0 && e >= 0 && q >= 0 && T >= 0 && N >= 0 && k >= 0);
        require(p < 1e9 && a < 1e9 && b < 1e9 && e < 1e9 && q < 1e9 && T < 1e12 && N < 1e12 && k < 1e12);
        int256 s = e + p - q;
        require(s >= 0);
        assert((p + a) * T + (p + b) * (T + N) + e * N - p * (T - k) - s * N >= 0);
    }
}

contract SoldTooMuch {
    /// It covers a seller that delivered less than it sold, at any price from the export tariff on.
    function soldTooMuch(int256 p, int256 b, int256 c, int256 r, int256 T, int256 D, int256 h, int256 x) external pure {
        require(p >= 0 && b >= 0 && c >= 0 && r >= 0 && T >= 0 && D >= 0 && h >= 0 && x >= 0);
        require(p < 1e9 && b < 1e9 && c < 1e9 && r < 1e9 && T < 1e12 && D < 1e12 && h < 1e12);
        assert(r * T + (p + b) * D + x + p * (T - D + h) + (c - r - p) * T >= 0);
    }
}

contract SoldTooLittle {
    /// It covers a seller that delivered more than it sold, where the export tariff -N is negative (else it earns).
    function soldTooLittle(
        int256 p,
        int256 s,
        int256 q,
        int256 r,
        int256 l,
        int256 T,
        int256 N,
        int256 h
    ) external pure {
        require(p >= 0 && s >= 0 && q >= 0 && r >= 0 && l >= 0 && T >= 0 && N >= 0 && h >= 0);
        require(p < 1e9 && s < 1e9 && q < 1e9 && r < 1e9 && l < 1e9 && T < 1e12 && N < 1e12 && h < 1e12);
        assert(r * T + l * (T + N) + (p + s + q) * N + p * (h - N) - s * N >= 0);
    }
}

/// The same without backup: a deficit costs max(0, price + fee), a surplus max(0, -price). `g` is the price with the fee, `n` a
/// negative price without its sign, `f` the fee, f + u the widest spread of the tariffs, g + v and n + u + v what the margin counts
/// a Wh taken and a Wh fed in with.
contract UnbackedBoughtTooLittle {
    /// Without backup a slot's margin covers a buyer that used more than it bought.
    function boughtTooLittle(int256 p, int256 a, int256 c, int256 g, int256 v, int256 x) external pure {
        require(p >= 0 && a >= 0 && c >= 0 && g >= 0 && v >= 0 && x >= 0);
        require(p < 1e9 && a < 1e9 && c < 1e9 && g < 1e12 && v < 1e12);
        int256 r = p + a;
        assert(r * (g + v) + x - p * g + (c - r + p) * g >= 0);
    }
}

contract UnbackedBoughtTooMuch {
    /// Without backup it covers a buyer that used less than it bought, at a negative price.
    function boughtTooMuch(
        int256 p,
        int256 b,
        int256 e,
        int256 q,
        int256 f,
        int256 u,
        int256 n,
        int256 v
    ) external pure {
        require(p >= 0 && b >= 0 && e >= 0 && q >= 0 && f >= 0 && u >= 0 && n >= 0 && v >= 0);
        require(p < 1e9 && b < 1e9 && e < 1e9 && q < 1e9);
        require(f < 1e12 && u < 1e12 && n < 1e12 && v < 1e12);
        assert((p + b) * (f + u) + e * (n + u + v) - p * (f - n) - (p + e - q) * n >= 0);
    }
}

contract UnbackedSoldTooMuch {
    /// Without backup it covers a seller that delivered less than it sold.
    function soldTooMuch(int256 p, int256 b, int256 c, int256 r, int256 f, int256 u, int256 g, int256 v) external pure {
        require(p >= 0 && b >= 0 && c >= 0 && r >= 0 && f >= 0 && u >= 0 && g >= 0 && v >= 0);
        require(p < 1e9 && b < 1e9 && c < 1e9 && r < 1e9);
        require(f < 1e12 && u < 1e12 && g < 1e12 && v < 1e12);
        assert(r * (g + v) + (p + b) * (f + u) + p * (g - f) + (c - r - p) * g >= 0);
    }
}

contract UnbackedSoldNegative {
    /// Without backup it covers a seller at a negative price, whatever it delivered.
    function soldNegative(int256 m, int256 q, int256 n, int256 u, int256 v, int256 x) external pure {
        require(m >= 0 && q >= 0 && n >= 0 && u >= 0 && v >= 0 && x >= 0);
        require(m < 1e9 && q < 1e9 && n < 1e12 && u < 1e12 && v < 1e12);
        assert((m + q) * (n + u + v) + x - m * n >= 0);
    }
}

contract LowerTariffs {
    /// Tariffs inside their bounds cost an account no more than the bounds themselves.
    function lowerTariffs(int256 T, int256 F, int256 t, int256 f, int256 d) external pure {
        require(T < 1e12 && F > -1e12 && F <= f && f < t && t <= T && d > -1e10 && d < 1e10);
        assert((d >= 0 ? d * f : d * t) >= (d >= 0 ? d * F : d * T));
    }
}
