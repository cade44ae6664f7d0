// The playground's editor: CodeMirror with Python, and an error at its place. Tab leaves it, as in any field of a page.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

export type Place = [line: number, column: number, length: number];

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--wire)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--bad)" },
  { tag: [tags.className, tags.definition(tags.function(tags.variableName))], fontWeight: "700" },
  { tag: tags.meta, color: "var(--soft)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "12.5px", color: "var(--ink)", backgroundColor: "var(--ground)" },
  ".cm-scroller": { fontFamily: "ui-monospace, Menlo, Consolas, monospace", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--zebra)", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--wire) 8%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--wire)" },
  "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--wire) 24%, transparent)",
  },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".cm-tooltip": { backgroundColor: "var(--ground)", color: "var(--ink)", border: "1px solid var(--line)" },
});

interface Props { text: string; change: (text: string) => void; wrong: { error: string; place?: Place } | undefined }

export function Editor({ text, change, wrong }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const changed = useRef(change);
  changed.current = change;

  useEffect(() => {
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(), history(), drawSelection(), highlightActiveLine(), indentOnInput(), indentUnit.of("    "), lintGutter(),
          python(), syntaxHighlighting(COLOURS), LOOK, keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ id: "text", tabindex: "0", "aria-label": "The specification's text" }),
          EditorView.updateListener.of((update) => { if (update.docChanged) changed.current(update.state.doc.toString()); }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== text) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  /** What is wrong is underlined, marked in the gutter, and where the cursor goes. */
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const range = wrong?.place && rangeOf(editor.state, wrong.place);
    editor.dispatch(setDiagnostics(editor.state, range ? [{ ...range, severity: "error", message: wrong.error }] : []));
    if (!range) return;
    editor.dispatch({ selection: { anchor: range.from }, effects: EditorView.scrollIntoView(range.from, { y: "center" }) });
    editor.focus();
  }, [wrong]);

  return <div class="code" ref={place} />;
}

/** Columns count characters, and CodeMirror counts units of UTF-16. */
function rangeOf(state: EditorState, [number, column, length]: Place): { from: number; to: number } {
  const line = state.doc.line(Math.min(Math.max(number, 1), state.doc.lines));
  const before = [...line.text].slice(0, column).join("").length;
  const own = [...line.text].slice(column, column + length).join("").length;
  const from = Math.min(line.from + before, Math.max(line.to - 1, line.from)); // What is missing at the end is marked at the last character.
  return { from, to: Math.min(Math.max(from + own, from + 1), line.to) };
}
