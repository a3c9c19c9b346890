import { defineConfig } from "vite";

// `npm run dev` serves the pages with reload and hands everything else to a running server.
const server = "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  build: {
    outDir: "../src/tallystick/web/pages",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows files of our own only: nothing is put inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/api": server, "/metrics": server, "/healthz": server, "/ledger": server },
  },
});
