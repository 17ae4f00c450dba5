/** Where the dashboard listens unless `--port` says otherwise. */
export const DEFAULT_PORT = 8640;

/** Keys, stores, logs and the instance lock, unless `--state` says otherwise. */
export const DEFAULT_STATE_DIR = ".daeg";
