/** The left side: search over all names, and their tree. On a phone it is a drawer. */

import { useEffect, useRef, useState } from "preact/hooks";

import { search } from "../api";
import { asTarget } from "../format/spelling";
import { showTargets } from "../state/view";
import { NamesTree } from "./names-tree";

const TYPING_PAUSE_MS = 120;

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
}

export function Side({ open, onClose }: Props) {
  const [text, setText] = useState("");
  const [names, setNames] = useState<readonly string[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  const drawer = useRef<HTMLElement>(null);

  useEffect(() => focusOnSlash(() => box.current), []);
  // As a drawer it takes the focus, and gives it back; a field would bring up the keyboard of a phone.
  useEffect(() => {
    if (!open) return undefined;
    const before = document.activeElement;
    drawer.current?.focus();
    return () => before instanceof HTMLElement && before.focus();
  }, [open]);

  useEffect(() => {
    setError(null);
    if (text.trim() === "") {
      setNames(null);
      return undefined;
    }
    const control = new AbortController();
    const timer = setTimeout(async () => {
      const result = await search(text.trim(), control.signal);
      if (result.ok) {
        setNames(result.value.names);
        setActive(0);
      } else if (!result.aborted) setError(result.error);
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [text]);

  const choose = (name: string | undefined): void => {
    if (name === undefined) return;
    showTargets([asTarget(name)]);
    onClose();
  };
  const onKey = (event: KeyboardEvent): void => {
    const count = names?.length ?? 0;
    if (event.key === "ArrowDown" && count) setActive((active + 1) % count);
    else if (event.key === "ArrowUp" && count) setActive((active + count - 1) % count);
    else if (event.key === "Enter") choose(names?.[active]);
    else if (event.key === "Escape" && text) setText("");
    else if (event.key === "Escape") box.current?.blur();
    else return;
    event.preventDefault();
  };

  return (
    <>
      {open && <div class="veil" onClick={onClose} />}
      <aside
        id="side"
        ref={drawer}
        tabIndex={-1}
        class={open ? "side open" : "side"}
        aria-label="Names of series"
        onKeyDown={(event) => event.key === "Escape" && onClose()}
      >
        <div class="search">
          <input
            ref={box}
            type="text"
            enterkeyhint="search"
            placeholder="Search names"
            aria-label="Search names"
            role="combobox"
            aria-expanded={names !== null}
            aria-controls="found"
            aria-activedescendant={names?.length ? `found-${active}` : undefined}
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={onKey}
          />
          {text === "" && <kbd>/</kbd>}
        </div>
        {error && <p class="side-note error" role="alert">{error}</p>}
        {text.trim() !== "" && !error && <Found names={names} active={active} onChoose={choose} />}
        <div class="tree-box" hidden={text.trim() !== ""}><NamesTree onChosen={onClose} /></div>
      </aside>
    </>
  );
}

interface FoundProps {
  readonly names: readonly string[] | null;
  readonly active: number;
  readonly onChoose: (name: string) => void;
}

function Found({ names, active, onChoose }: FoundProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active, names]);
  if (names?.length === 0) return <p class="side-note">No name holds all of these words.</p>;
  return (
    <ul class="found" id="found" role="listbox" aria-label="Names found" ref={list}>
      {names?.map((name, i) => (
        <li
          key={name}
          id={`found-${i}`}
          role="option"
          aria-selected={i === active}
          title={name}
          onClick={() => onChoose(name)}
        >
          {name}
        </li>
      ))}
    </ul>
  );
}

/** `/` goes to the search from anywhere but a field that is being typed in. */
function focusOnSlash(box: () => HTMLInputElement | null): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box()?.focus();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
