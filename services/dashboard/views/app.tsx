import { useEffect, useRef, useState } from "preact/hooks";
import { CheatIcon, GridIcon, HomeIcon, HomesIcon, NodesIcon, SlotIcon } from "../picture/icons.tsx";
import { useStore } from "../state/context.ts";
import { hashOf, routeOf, type Route, type Screen } from "../state/route.ts";
import { ConnectionBanner } from "./banner.tsx";
import { CheatView } from "./cheat.tsx";
import { HeaderClock } from "./clock.tsx";
import { GridView } from "./grid.tsx";
import { HomeView } from "./home.tsx";
import { HomesView } from "./homes.tsx";
import { NodesView } from "./nodes.tsx";
import { SlotsView } from "./slots.tsx";
import { Starting } from "./starting.tsx";

const screens: readonly { screen: Screen; name: string; short: string; icon: () => preact.JSX.Element }[] = [
  { screen: "grid", name: "Grid", short: "Grid", icon: GridIcon },
  { screen: "home", name: "Your home", short: "Your home", icon: HomeIcon },
  { screen: "slots", name: "Story of a slot", short: "Slots", icon: SlotIcon },
  { screen: "cheat", name: "Try to cheat", short: "Cheat", icon: CheatIcon },
  { screen: "homes", name: "Homes", short: "Homes", icon: HomesIcon },
  { screen: "nodes", name: "Oracle nodes", short: "Nodes", icon: NodesIcon },
];

const useRoute = (): Route => {
  const [route, setRoute] = useState(routeOf(location.hash));
  useEffect(() => {
    const change = (): void => setRoute(routeOf(location.hash));
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return route;
};

export const App = () => {
  const route = useRoute();
  const { market } = useStore();
  const state = market.value;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${screens.find(({ screen }) => screen === route.screen)!.name} | DAEG`;
    if (first.current) first.current = false;
    else {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [route.screen]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <header class="top">
        <div class="top-inner">
          <a class="brand" href={hashOf("grid")}>
            <Mark />
            <span>
              <strong>DAEG</strong>
              <span class="brand-community">{state?.community.name ?? ""}</span>
            </span>
          </a>
          <nav aria-label="Screens">
            {screens.map(({ screen, name, short, icon: Icon }) => (
              <a
                key={screen}
                href={hashOf(screen)}
                aria-current={route.screen === screen ? "page" : undefined}
                aria-label={name}
              >
                <Icon />
                <span class="nav-name">{name}</span>
                <span class="nav-short">{short}</span>
              </a>
            ))}
          </nav>
          <HeaderClock />
        </div>
      </header>
      <ConnectionBanner />
      <main id="main" ref={main} tabIndex={-1}>
        {state === null ? <Starting /> : <Current route={route} />}
      </main>
    </>
  );
};

const Current = ({ route }: { route: Route }) => {
  switch (route.screen) {
    case "grid":
      return <GridView />;
    case "home":
      return <HomeView />;
    case "slots":
      return <SlotsView slot={route.slot} />;
    case "cheat":
      return <CheatView />;
    case "homes":
      return <HomesView />;
    case "nodes":
      return <NodesView />;
  }
};

/** A busbar with one feeder that gives and one that takes. */
const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path class="mark-bus" d="M4 10h24" />
    <path class="mark-sell" d="M11 27V14" />
    <path class="mark-buy" d="M21 14v13" />
  </svg>
);
