import { defineConfig } from "vite";

// The page that an application includes at an address of its own: all of its addresses are relative.
export default defineConfig({
  root: "stats",
  base: "./",
  publicDir: "../public",
  build: {
    outDir: "../../src/tallystick/sensors/web/page",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows files of our own only: nothing is put inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
