import { expect } from "chai";
import fc from "fast-check";
import { decimal, exactDecimal, MINUS } from "../../../services/dashboard/format/decimal.ts";
import { dayEnergy, energy, power, text } from "../../../services/dashboard/format/energy.ts";
import { exactMoney, money, parsePrice, price, savedPercent } from "../../../services/dashboard/format/money.ts";
import { age, countdown, sameDay, slotLabel, slotSpan } from "../../../services/dashboard/format/time.ts";
import { count, errorTitle, shortHash } from "../../../services/dashboard/format/words.ts";

describe("dashboard format", () => {
  it("writes money exactly, beyond what a float can hold", () => {
    expect(exactMoney(9_007_199_254_740_993_000_000_001n)).to.equal(
      "9\u202f007\u202f199\u202f254\u202f740\u202f993.000000001",
    );
    expect(money(47_500_000n)).to.equal("0.0475");
    expect(money(-47_500_000n)).to.equal(`${MINUS}0.0475`);
    expect(money(1_234_567_891_000n, 2)).to.equal("1\u202f234.57");
    expect(money(5n, 4, "always")).to.equal("0.0000");
    expect(money(50_000n, 4, "always")).to.equal("+0.0001");
  });

  it("rounds half away from zero on both sides", () => {
    expect(decimal(15n, 1, 0)).to.equal("2");
    expect(decimal(-15n, 1, 0)).to.equal(`${MINUS}2`);
    expect(decimal(3n, 0, 2)).to.equal("3.00");
  });

  it("keeps every digit of any amount in the exact form", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (nano) => {
        const plain = exactDecimal(nano, 9, 2).replace(MINUS, "-").replaceAll("\u202f", "");
        const [whole = "", part = ""] = plain.replace("-", "").split(".");
        const back = BigInt(whole) * 10n ** 9n + BigInt(part.padEnd(9, "0"));
        expect(plain.startsWith("-") ? -back : back).to.equal(nano);
      }),
    );
  });

  it("reads back the prices that it writes", () => {
    expect(price(182_500)).to.equal("0.183");
    expect(parsePrice("0.1825")).to.equal(182_500);
    expect(parsePrice("0,21")).to.equal(210_000);
    expect(parsePrice(" -0.000001 ")).to.equal(-1);
    expect(parsePrice("12")).to.equal(12_000_000);
    for (const wrong of ["", "abc", "0.1234567", "1e3", "--1", "."]) expect(parsePrice(wrong), wrong).to.equal(null);
  });

  it("tells savings in percent only against a cost", () => {
    expect(savedPercent(80n, 100n)).to.equal("20.0");
    expect(savedPercent(110n, 100n)).to.equal(`${MINUS}10.0`);
    expect(savedPercent(-5n, -4n)).to.equal(null);
  });

  it("gives energy and power their units", () => {
    expect(text(energy(850))).to.equal("850\u00a0Wh");
    expect(text(energy(12_345))).to.equal("12.35\u00a0kWh");
    expect(text(dayEnergy(850))).to.equal("0.85\u00a0kWh");
    expect(text(power(-1234))).to.equal(`${MINUS}1.2\u00a0kW`);
  });

  it("labels slots by their local start", () => {
    expect(slotLabel(1_982_016, "UTC")).to.equal("00:00");
    expect(slotSpan(1_982_017, "Asia/Kolkata")).to.equal("05:45 to 06:00");
    expect(sameDay(1_982_016, 1_982_016 + 95, "UTC")).to.equal(true);
    expect(sameDay(1_982_016, 1_982_016 + 96, "UTC")).to.equal(false);
    expect(countdown(97.2)).to.equal("1:38");
    expect(countdown(-3)).to.equal("0:00");
    expect(age(12)).to.equal("12\u00a0s");
    expect(age(600)).to.equal("10\u00a0min");
  });

  it("shortens hashes and names errors", () => {
    expect(shortHash(`0x${"ab".repeat(32)}`)).to.equal("0xabab…abab");
    expect(shortHash("0x12")).to.equal("0x12");
    expect(errorTitle("BookMismatch")).to.equal("Book mismatch");
    expect(count(1, "order")).to.equal("1\u00a0order");
    expect(count(2, "order")).to.equal("2\u00a0orders");
  });
});
