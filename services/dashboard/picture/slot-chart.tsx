import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SlotSummary } from "../../protocol/api.ts";
import { energy, text } from "../format/energy.ts";
import { price } from "../format/money.ts";
import { slotLabel } from "../format/time.ts";
import { hashOf } from "../state/route.ts";
import { slotChart } from "./chart.ts";

const HEIGHT = 300;

/** Prices of the last slots in the corridor of the tariffs; below, what homes traded and what the grid added. */
export const SlotChartView = ({
  slots,
  zones,
  currency,
}: {
  slots: readonly SlotSummary[];
  zones: readonly string[];
  currency: string;
}) => {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current!;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const box = { left: 46, right: width - 8, top: 24, middle: 176, barTop: 204, bottom: 276 };
  const chart = slotChart(slots, zones, box);
  return (
    <div ref={frame} class="chart" style={{ height: `${HEIGHT}px` }}>
      {width > 0 && (
        <svg
          viewBox={`0 0 ${width} ${HEIGHT}`}
          width={width}
          height={HEIGHT}
          role="img"
          aria-label="Prices and traded energy of the last slots"
        >
          <text class="axis-title" x="0" y="10">{`Price, ${currency}/kWh`}</text>
          {chart.priceTicks.map((tick) => (
            <g key={tick.micro}>
              <path class="axis" d={`M${box.left} ${tick.y}H${box.right}`} />
              <text class="tick" x={box.left - 6} y={tick.y + 4} text-anchor="end">
                {price(tick.micro, 2)}
              </text>
            </g>
          ))}
          <path class="corridor" d={chart.corridor} />
          <path class="tariff-line is-import" d={chart.importLine} />
          <path class="tariff-line is-export" d={chart.exportLine} />
          {chart.lines.map((line, at) => (
            <path key={line.zone} class={`price-line line-${at % 4}`} d={line.path} />
          ))}
          <text
            class="axis-title"
            x="0"
            y={box.barTop - 8}
          >{`Energy per slot, at most ${text(energy(chart.energyTop))}`}</text>
          <path class="axis" d={`M${box.left} ${box.bottom}H${box.right}`} />
          {chart.bars.map((bar) => (
            <a key={bar.slot} href={hashOf("slots", bar.slot)} aria-label={`Story of slot ${slotLabel(bar.slot)}`}>
              <rect class="bar-hit" x={bar.x} y={box.top} width={bar.width} height={box.bottom - box.top} />
              <rect
                class="bar-grid"
                x={bar.x}
                y={bar.gridY}
                width={bar.width}
                height={Math.max(0, bar.localY - bar.gridY)}
              />
              <rect class="bar-local" x={bar.x} y={bar.localY} width={bar.width} height={box.bottom - bar.localY} />
              <title>{`Slot ${slotLabel(bar.slot)}`}</title>
            </a>
          ))}
          {chart.timeTicks.map((tick) => (
            <text key={tick.slot} class="tick" x={tick.x} y={HEIGHT - 6} text-anchor="start">
              {slotLabel(tick.slot)}
            </text>
          ))}
        </svg>
      )}
    </div>
  );
};

/** What the marks of the chart mean. */
export const SlotChartLegend = ({ zones }: { zones: readonly string[] }) => (
  <ul class="legend">
    {zones.slice(0, 4).map((zone, at) => (
      <li key={zone}>
        <svg class="key" viewBox="0 0 22 8" aria-hidden="true">
          <path class={`price-line line-${at}`} d="M0 4H22" />
        </svg>
        {zone}
      </li>
    ))}
    <li>
      <svg class="key" viewBox="0 0 22 8" aria-hidden="true">
        <path class="tariff-line is-import" d="M0 4H22" />
      </svg>
      grid charges
    </li>
    <li>
      <svg class="key" viewBox="0 0 22 8" aria-hidden="true">
        <path class="tariff-line is-export" d="M0 4H22" />
      </svg>
      grid pays
    </li>
    <li>
      <span class="swatch local-swatch" /> traded between homes
    </li>
    <li>
      <span class="swatch grid-swatch" /> traded with the grid
    </li>
  </ul>
);
