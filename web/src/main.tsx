import { render } from "preact";

import { App } from "./app";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/side.css";
import "./styles/graph.css";
import "./styles/pages.css";
import "./styles/protection.css";
import "./styles/print.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
