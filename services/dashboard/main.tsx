import { render } from "preact";
import "./styles/main.css";
import { App } from "./views/app.tsx";
import { createClient } from "./state/client.ts";
import { StoreContext } from "./state/context.ts";
import { createStore } from "./state/store.ts";

const store = createStore(createClient(""));
store.start();
render(
  <StoreContext.Provider value={store}>
    <App />
  </StoreContext.Provider>,
  document.getElementById("app")!,
);
