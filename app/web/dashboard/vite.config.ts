// Built files go into the package: `make dashboard`. Nothing is inlined, so that the pages' policy needs no exception.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  base: "/dashboard/",
  build: { outDir: "../built", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/v1": "http://127.0.0.1:8400" } }, // `npx vite` beside `qstill up`
});
