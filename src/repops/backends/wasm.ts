export { reference as wasm } from "./reference.ts"; // placeholder, the WASM backend replaces this file
