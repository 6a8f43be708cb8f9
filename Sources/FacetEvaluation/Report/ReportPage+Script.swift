// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ReportPage {
  /// Looks through the documents.
  ///
  /// Text goes into the page as text only, never as markup.
  static let script = """
    "use strict";
    (() => {
      const tasks = JSON.parse(document.getElementById("data").textContent);
      const [task, verdict, search, list, count, more] =
        ["task", "verdict", "search", "list", "count", "more"].map((id) => document.getElementById(id));
      const step = 50;
      let shown = step;

      const make = (name, className, text) => {
        const element = document.createElement(name);
        if (className) element.className = className;
        if (text !== undefined) element.textContent = text;
        return element;
      };
      const block = (body, title, text) => {
        if (text === "") return;
        body.append(make("h3", "", title), make("pre", "", text));
      };
      const question = (prompt) => {
        const parts = prompt.trim().split("\\n\\n");
        return parts[parts.length - 1].trim().split("\\n")[0] || prompt.trim();
      };

      const choiceTable = (choices) => {
        const table = make("table");
        const head = table.createTHead().insertRow();
        for (const [name, className] of [["Choice", "word"], ["", ""], ["log-probability", ""]]) {
          const cell = make("th", className, name);
          cell.scope = "col";
          head.append(cell);
        }
        const values = choices.map((choice) => choice.logProbability ?? -Infinity);
        const best = Math.max(...values);
        const rows = table.createTBody();
        choices.forEach((choice, index) => {
          const row = rows.insertRow();
          if (choice.target) row.className = "target";
          const marks = [];
          if (choice.target) marks.push("answer");
          if (choices.length > 1 && values[index] === best) marks.push("likeliest");
          if (choice.greedy) marks.push("greedy");
          row.append(make("td", "word", choice.text.trim() || choice.text), make("td", "", marks.join(", ")),
            make("td", "", choice.logProbability === null ? "–" : choice.logProbability.toFixed(4)));
        });
        return table;
      };

      const fill = (body, item) => {
        block(body, "Prompt", item.prompt);
        if (item.choices.length) {
          body.append(make("h3", "", "Choices"), choiceTable(item.choices));
        }
        item.written.forEach((text, index) =>
          block(body, item.written.length > 1 ? `Written, ${index + 1}` : "Written", text || " "));
        item.filtered.forEach((text) => block(body, "After the filter", text || " "));
        block(body, "Answer", item.target);
        const values = Object.entries(item.values).map(([name, value]) => `${name} = ${value}`);
        body.append(make("h3", "", values.join(", ")));
      };

      const row = (item) => {
        const details = make("details");
        const summary = make("summary");
        const mark = item.right === null ? "·" : item.right ? "✓" : "✗";
        const name = item.right === null ? "mark" : item.right ? "mark right" : "mark wrong";
        const sign = make("span", name, mark);
        sign.setAttribute("role", "img");
        sign.setAttribute("aria-label", item.right === null ? "measured" : item.right ? "right" : "wrong");
        summary.append(sign, make("span", "number", `${item.index}`),
          make("span", "line", question(item.prompt)));
        details.append(summary);
        details.addEventListener("toggle", () => {
          if (!details.open || details.children.length > 1) return;
          const body = make("div", "body");
          fill(body, item);
          details.append(body);
        });
        return details;
      };

      const matches = (item, words) => {
        if (verdict.value !== "all" && item.right !== (verdict.value === "right")) return false;
        if (!words) return true;
        const texts = [item.prompt, item.target, ...item.written, ...item.choices.map((c) => c.text)];
        return texts.some((text) => text.toLowerCase().includes(words));
      };

      const show = () => {
        const current = tasks[task.selectedIndex];
        const words = search.value.trim().toLowerCase();
        const found = current.documents.filter((item) => matches(item, words));
        list.replaceChildren(...found.slice(0, shown).map(row));
        const loaded = current.documents.length;
        const rest = loaded < current.total
          ? `; the page holds the first ${loaded} of ${current.total}` : "";
        const metric = current.metric ? ` by ${current.metric}` : "";
        count.textContent = `${found.length} of ${loaded} documents${metric}${rest}.`;
        more.hidden = found.length <= shown;
      };
      const restart = () => { shown = step; show(); };

      for (const entry of tasks) task.append(make("option", "", entry.name));
      document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
      task.addEventListener("change", restart);
      verdict.addEventListener("change", restart);
      search.addEventListener("input", restart);
      more.addEventListener("click", () => { shown += step; show(); });
      list.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        if (event.target.tagName !== "SUMMARY") return;
        const all = [...list.querySelectorAll("summary")];
        const next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
        if (next) next.focus();
        event.preventDefault();
      });
      show();
    })();
    """
}
