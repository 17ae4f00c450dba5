import { useEffect, useState } from "preact/hooks";
import type { ApiPoint, LocalWallet } from "../../protocol/api.ts";
import { energy, text } from "../format/energy.ts";
import { nameOf, shortHash } from "../format/words.ts";
import { Copy } from "../parts/copy.tsx";
import { Money, Power } from "../parts/number.tsx";
import { Empty, Failure, Panel, ScreenHead } from "../parts/panel.tsx";
import { KeyIcon } from "../picture/icons.tsx";
import { directionOf } from "../picture/flow.ts";
import { useFetched, useStore } from "../state/context.ts";
import type { Placed } from "../wallet/journey.ts";
import { loadPlaced, savePlaced } from "../wallet/memory.ts";
import { HomeHistory } from "./home-history.tsx";
import { OrderForm } from "./order-form.tsx";
import { OrderJourney } from "./order-journey.tsx";

/** What can I sell or buy next, and what came of it? */
export const HomeView = () => {
  const store = useStore();
  const market = store.market.value!;
  const wallet = useFetched(() => store.client.wallet(), []);
  if (wallet.error && !wallet.data)
    return (
      <>
        <ScreenHead question="What can your home trade?" answer="No wallet on this computer" />
        <Failure message={wallet.error} />
      </>
    );
  if (!wallet.data) return <ScreenHead question="What can your home trade?" answer="Opening the wallet" />;
  const point = market.points.find((candidate) => candidate.point === wallet.data!.point);
  if (!point)
    return (
      <>
        <ScreenHead question="What can your home trade?" answer="Your home is not connected" />
        <Empty title={`Metering point ${wallet.data.point} is not registered yet`}>
          It appears here as soon as the chain knows it.
        </Empty>
      </>
    );
  return <Connected wallet={wallet.data} point={point} />;
};

const Connected = ({ wallet, point }: { wallet: LocalWallet; point: ApiPoint }) => {
  const store = useStore();
  const market = store.market.value!;
  const chain = `${market.chainId}:${market.addresses.orderBook ?? ""}`;
  const [placed, setPlaced] = useState<readonly Placed[]>(() => loadPlaced(chain));
  useEffect(() => setPlaced(loadPlaced(chain)), [chain]);
  const detail = useFetched(() => store.client.point(point.point), [point.point, store.changes.value.get(-1), placed]);
  const { currency } = market.community;
  const powerW = store.live.value?.points.find((entry) => entry.point === point.point)?.powerW;
  const direction = directionOf(powerW);
  const newest = placed[0];
  return (
    <>
      <ScreenHead
        question="What can your home trade?"
        answer={
          <>
            {nameOf(point)}, zone {point.zone}
          </>
        }
        aside={
          <dl class="facts is-tight">
            <div class="fact">
              <dt>Balance</dt>
              <dd>
                {detail.data ? (
                  <Money nano={detail.data.balanceNano} currency={currency} />
                ) : (
                  <span class="quiet">reading</span>
                )}
              </dd>
            </div>
            <div class="fact">
              <dt>{direction === "sell" ? "Feeds in now" : "Takes now"}</dt>
              <dd>
                {powerW === undefined ? (
                  <span class="quiet">no reading</span>
                ) : (
                  <Power w={Math.abs(powerW)} {...(direction === "still" ? {} : { tone: direction })} />
                )}
              </dd>
            </div>
          </dl>
        }
      />
      <div class="burner">
        <KeyIcon />
        <p>
          <strong>Burner wallet of this computer, test tokens only.</strong> {wallet.warning}{" "}
          <span class="burner-address">
            <code title={wallet.address}>{shortHash(wallet.address, 6)}</code>
            <Copy text={wallet.address} what="address" />
          </span>
        </p>
      </div>
      <div class="two is-home">
        <Panel
          title="Trade in the next slot"
          hint={`Your connection: ${text(energy(point.importLimitWh))} in, ${text(energy(point.exportLimitWh))} out per slot`}
        >
          <OrderForm
            wallet={wallet}
            point={point}
            onPlaced={(order) => {
              const next = [order, ...placed.filter((other) => other.id !== order.id)];
              setPlaced(next);
              savePlaced(chain, next);
            }}
          />
        </Panel>
        <Panel title="Your order" hint={newest ? undefined : "From signature to money"}>
          <div aria-live="polite">
            {newest ? (
              <OrderJourney key={newest.id} placed={newest} detail={detail.data} />
            ) : (
              <Empty title="No order yet">
                Sign one in the form: six steps from your signature to the money will show here, each with its
                transaction.
              </Empty>
            )}
          </div>
        </Panel>
      </div>
      <Panel
        title="Your last slots"
        hint="What this home traded, and what the tariff would have paid for the same metered energy."
      >
        {detail.error && !detail.data ? (
          <Failure message={detail.error} />
        ) : (
          <HomeHistory slots={detail.data?.slots ?? []} currency={currency} />
        )}
      </Panel>
    </>
  );
};
