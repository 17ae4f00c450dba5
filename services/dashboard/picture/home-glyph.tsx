import type { ApiPoint } from "../../protocol/api.ts";
import { power, text } from "../format/energy.ts";
import { nameOf } from "../format/words.ts";
import type { Direction } from "./flow.ts";

const doing = (direction: Direction, powerW: number): string =>
  direction === "still"
    ? "no flow"
    : `${direction === "buy" ? "takes" : "feeds in"} ${text(power(Math.abs(powerW), 2))}`;

/** What a pointer tells about a home. */
export const homeTitle = (point: ApiPoint, direction: Direction, powerW: number): string =>
  [
    `${nameOf(point)}: ${doing(direction, powerW)}`,
    point.pvW > 0 ? `solar ${text(power(point.pvW))}` : null,
    point.batteryWh > 0 ? `battery ${(point.batteryWh / 1000).toFixed(1)}\u00a0kWh` : null,
    point.vehicle ? "electric car" : null,
  ]
    .filter((part) => part !== null)
    .join(", ");

/** A house in a 40 x 40 box whose top centre is the origin: panel on the roof, battery and car inside. */
export const HomeGlyph = ({ point, direction, size }: { point: ApiPoint; direction: Direction; size: number }) => (
  <g class={`house is-${direction}`} transform={`scale(${size / 40}) translate(-20 0)`}>
    {point.pvW > 0 && <path class="solar" d="M23.5 1.2 39 15.2" />}
    <path class="walls" d="M20 3.5 3 18.5h4V37a1.5 1.5 0 0 0 1.5 1.5h23A1.5 1.5 0 0 0 33 37V18.5h4z" />
    {point.batteryWh > 0 && (
      <path
        class="detail"
        d={point.vehicle ? "M10.5 23.5h6v11h-6zM12.5 23.5v-2h2v2z" : "M16 22.5h8v12h-8zM18.5 22.5v-2.2h3v2.2z"}
      />
    )}
    {point.vehicle && (
      <path
        class="detail"
        d="M19.2 34v-4.2l1.300-.5 1.600-3.300h5.300l1.700 3.300 1.300.5V34h-2a1.5 1.5 0 0 1-3 0h-1.700a1.5 1.5 0 0 1-3 0z"
      />
    )}
  </g>
);
