import { energy, power, type Quantity } from "../format/energy.ts";
import { exactMoney, exactPrice, money, price } from "../format/money.ts";

/** A number with its unit set smaller; both stay on one line. */
export const Num = ({ value, unit, title, tone }: Quantity & { title?: string; tone?: "buy" | "sell" | "quiet" }) => (
  <span class={`num${tone ? ` tone-${tone}` : ""}`} title={title}>
    {value}
    <span class="unit">&nbsp;{unit}</span>
  </span>
);

export const Energy = ({ wh, tone }: { wh: number; tone?: "buy" | "sell" | "quiet" }) => (
  <Num {...energy(wh)} {...(tone ? { tone } : {})} />
);
export const Power = ({ w, tone }: { w: number; tone?: "buy" | "sell" | "quiet" }) => (
  <Num {...power(w)} {...(tone ? { tone } : {})} />
);
export const Price = ({ micro, currency, digits = 3 }: { micro: number; currency: string; digits?: number }) => (
  <Num value={price(micro, digits)} unit={`${currency}/kWh`} title={`${exactPrice(micro)} ${currency}/kWh`} />
);
export const Money = ({
  nano,
  currency,
  sign,
  digits = 4,
}: {
  nano: string | bigint;
  currency: string;
  sign?: "always";
  digits?: number;
}) => {
  const exact = BigInt(nano);
  return (
    <Num value={money(exact, digits, sign ?? "negative")} unit={currency} title={`${exactMoney(exact)} ${currency}`} />
  );
};
