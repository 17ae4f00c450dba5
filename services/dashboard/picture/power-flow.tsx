import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiState, LiveView } from "../../protocol/api.ts";
import { power, text } from "../format/energy.ts";
import { price } from "../format/money.ts";
import { balanceOf, directionOf, flowSentence, flowWidth, paceOf, STILL_W, zoneNetW } from "./flow.ts";
import { HomeGlyph, homeTitle } from "./home-glyph.tsx";
import { layoutPicture, type Cell, type Region, type Wire } from "./layout.ts";

const SLOTS_PER_HOUR = 4;
const TRACK = 12;

interface Props {
  market: ApiState;
  live: LiveView | null;
  /** Zone prices of the slot that is delivered now; null before the first one. */
  prices: Readonly<Record<string, number>> | null;
}

/** The live picture: zones with their homes, lines with flow and limit, and the grid connection. */
export const PowerFlow = ({ market, live, prices }: Props) => {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current!;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  return (
    <div class="picture" ref={frame}>
      {width > 0 && <Picture market={market} live={live} prices={prices} width={width} />}
    </div>
  );
};

const Picture = ({ market, live, prices, width }: Props & { width: number }) => {
  const layout = layoutPicture({
    width,
    zones: market.zones,
    lines: market.lines,
    gridZone: market.gridZone,
    points: market.points,
  });
  const powerOf = new Map(live?.points.map((point) => [point.point, point.powerW]));
  const flowOf = new Map(live?.lines.map((line) => [line.id, line.flowW]));
  const net = live ? zoneNetW(market.points, live) : new Map<string, number>();
  const balance = live ? balanceOf(live) : null;
  const gridW = balance?.gridW ?? 0;
  const gridScaleW = Math.max(2_000, Math.abs(gridW), (balance?.buyingW ?? 0) * 0.8, (balance?.sellingW ?? 0) * 0.8);
  const strongestW = Math.max(1_000, ...(live?.points.map((point) => Math.abs(point.powerW)) ?? []));
  const points = new Map(market.points.map((point) => [point.point, point]));
  return (
    <svg
      viewBox={`0 0 ${layout.width} ${layout.height}`}
      width={layout.width}
      height={layout.height}
      role="img"
      aria-label={balance ? flowSentence(balance) : "Waiting for the first live readings."}
    >
      {layout.wires.map((wire) => {
        const line = market.lines.find((candidate) => candidate.id === wire.id);
        const along = wire.id === null ? gridW : (flowOf.get(wire.id) ?? 0) * (wire.reversed ? -1 : 1);
        const limitW = line ? line.capacityWh * SLOTS_PER_HOUR : gridScaleW;
        return (
          <WireMark
            key={wire.id ?? "grid"}
            wire={wire}
            flowW={along}
            limitW={limitW}
            limited={line !== undefined}
            known={live !== null}
          />
        );
      })}
      {layout.regions.map((region) => (
        <RegionFrame
          key={region.zone}
          region={region}
          netW={net.get(region.zone)}
          price={prices?.[region.zone]}
          currency={market.community.currency}
        />
      ))}
      {layout.regions.flatMap((region) =>
        region.homes.map(({ point, x, y }) => {
          const home = points.get(point)!;
          const powerW = powerOf.get(point);
          return (
            <Home key={point} x={x} y={y} cell={layout.cell} home={home} powerW={powerW} strongestW={strongestW} />
          );
        }),
      )}
      <Pylon x={layout.grid.x} y={layout.grid.y} below={layout.kind === "columns"} />
    </svg>
  );
};

const WireMark = ({
  wire,
  flowW,
  limitW,
  limited,
  known,
}: {
  wire: Wire;
  flowW: number;
  limitW: number;
  limited: boolean;
  known: boolean;
}) => {
  const moving = known && Math.abs(flowW) >= STILL_W;
  const full = limited && Math.abs(flowW) > 0.95 * limitW;
  const { x, y, anchor } = wire.label;
  const start = anchor === "start";
  return (
    <g class={`wire${full ? " is-full" : ""}`}>
      <path class="wire-track" d={wire.path} stroke-width={TRACK} />
      {moving && (
        <>
          <path class="wire-flow" d={wire.path} stroke-width={flowWidth(flowW, limitW, TRACK - 4)} />
          <path
            class={`wire-dash pace-${paceOf(flowW, limitW)}${flowW < 0 ? " is-back" : ""}`}
            d={wire.path}
            stroke-width={Math.max(1.5, flowWidth(flowW, limitW, TRACK - 4) * 0.6)}
          />
          <path
            class="wire-arrow"
            d="M-5 -6 6 0 -5 6z"
            transform={`translate(${wire.arrow.x} ${wire.arrow.y}) rotate(${wire.arrow.turn + (flowW < 0 ? 180 : 0)})`}
          />
        </>
      )}
      <text class="wire-power" x={x} y={start ? y : y - 13} text-anchor={anchor}>
        {known ? text(power(Math.abs(flowW))) : "no reading"}
        {start && (
          <tspan class="wire-limit" dx="6">
            {limited ? `of ${text(power(limitW, 0))} limit` : gridWords(flowW, known)}
          </tspan>
        )}
      </text>
      {!start && (
        <text class="wire-limit" x={x} y={y + 21} text-anchor={anchor}>
          {limited ? `of ${text(power(limitW, 0))}` : gridWords(flowW, known)}
        </text>
      )}
    </g>
  );
};

const gridWords = (flowW: number, known: boolean): string =>
  !known || Math.abs(flowW) < STILL_W ? "balanced" : flowW > 0 ? "from the grid" : "to the grid";

const RegionFrame = ({
  region,
  netW,
  price: micro,
  currency,
}: {
  region: Region;
  netW: number | undefined;
  price: number | undefined;
  currency: string;
}) => {
  const { x, y, width, height } = region;
  const first = region.feeders[0]!;
  const last = region.feeders.at(-1)!;
  const direction = directionOf(netW);
  return (
    <g class="region">
      <rect x={x} y={y} width={width} height={height} rx="10" />
      <text class="zone-name" x={x + 14} y={y + 22}>
        {region.zone}
      </text>
      <text class={`zone-net tone-${direction}`} x={x + 14} y={y + 39}>
        {netW === undefined
          ? ""
          : direction === "still"
            ? "in balance"
            : `${direction === "buy" ? "takes" : "gives"} ${text(power(Math.abs(netW)))}`}
      </text>
      {micro !== undefined && (
        <>
          <text class="zone-price" x={x + width - 14} y={y + 22} text-anchor="end">
            {price(micro)}
          </text>
          <text class="zone-unit" x={x + width - 14} y={y + 39} text-anchor="end">
            {`${currency}/kWh`}
          </text>
        </>
      )}
      {region.feeders.map((feeder) => (
        <path key={feeder.y} class="feeder" d={`M${feeder.x1} ${feeder.y}H${feeder.x2}`} />
      ))}
      {last !== first && <path class="feeder" d={`M${first.x1} ${first.y}V${last.y}`} />}
    </g>
  );
};

const Home = ({
  x,
  y,
  cell,
  home,
  powerW,
  strongestW,
}: {
  x: number;
  y: number;
  cell: Cell;
  home: ApiState["points"][number];
  powerW: number | undefined;
  strongestW: number;
}) => {
  const direction = directionOf(powerW);
  const width = direction === "still" ? 1.5 : 2 + 3 * Math.min(1, Math.abs(powerW ?? 0) / strongestW);
  return (
    <g transform={`translate(${x} ${y})`}>
      <title>{homeTitle(home, direction, powerW ?? 0)}</title>
      <path class="drop" d={`M0 0V${cell.drop + 4}`} stroke-width={Math.max(1.5, width)} />
      {direction !== "still" && (
        <path
          class={`drop-dash is-${direction} pace-${paceOf(powerW ?? 0, strongestW)}`}
          d={`M0 0V${cell.drop + 4}`}
          stroke-width={width}
        />
      )}
      <g transform={`translate(0 ${cell.drop})`}>
        <HomeGlyph point={home} direction={direction} size={cell.glyph} />
        {direction !== "still" && (
          <path
            class={`drop-mark is-${direction}`}
            d={direction === "sell" ? "M0 -9 5.5 0h-11z" : "M0 2 5.5 -7h-11z"}
            transform={`translate(0 ${-cell.drop / 2 + 5}) scale(${cell.labelled ? 1 : 0.7})`}
          />
        )}
      </g>
      {cell.labelled && (
        <text class="home-power" y={cell.drop + cell.glyph + 13} text-anchor="middle">
          {powerW === undefined ? "" : text(power(Math.abs(powerW)))}
        </text>
      )}
    </g>
  );
};

const Pylon = ({ x, y, below }: { x: number; y: number; below: boolean }) => (
  <g class="pylon" transform={`translate(${x} ${y})`}>
    <rect x="-27" y="-27" width="54" height="54" rx="10" />
    <path d="M-8 18 -2.5 -18h5L8 18M-13 -7h26M-10 -13h20M-6 6 5 -3M6 6-5 -3M-8 18 6.5 6M8 18-6.5 6M-13 -7v4M13 -7v4" />
    {below && (
      <text y="44" text-anchor="middle">
        Grid
      </text>
    )}
  </g>
);
