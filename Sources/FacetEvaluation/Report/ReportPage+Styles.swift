// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ReportPage {
  /// The page's style sheet, for light and for dark.
  static let styles = """
    :root { --page: #ffffff; --panel: #f6f8fa; --ink: #1f2328; --pale: #59636e; --line: #d1d9e0;
      --own: #2a6fdb; --other: #afb8c1; --right: #1a7f37; --wrong: #cf222e }
    @media (prefers-color-scheme: dark) {
      :root { --page: #0d1117; --panel: #151b23; --ink: #e6edf3; --pale: #9198a1; --line: #3d444d;
        --own: #4493f8; --other: #56606b; --right: #3fb950; --wrong: #f85149 }
    }
    * { box-sizing: border-box }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.5 system-ui, sans-serif }
    main { max-width: 1120px; margin: 0 auto; padding: 24px }
    @media (max-width: 560px) { main { padding: 16px } }
    h1 { font-size: 24px; margin: 0 0 16px; overflow-wrap: anywhere }
    h2 { font-size: 18px; margin: 32px 0 8px }
    p { margin: 4px 0 }
    dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(160px, 40%), 1fr));
      gap: 12px; margin: 0 0 24px }
    dl div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
      padding: 8px 12px }
    dt { color: var(--pale); font-size: 13px }
    dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
    .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(440px, 100%), 1fr));
      gap: 16px; align-items: start }
    figure { margin: 0; padding: 12px; border: 1px solid var(--line); border-radius: 8px }
    .parts .note { margin-bottom: 12px }
    figcaption { font-weight: 600; margin-bottom: 8px }
    small, .note { color: var(--pale); font-size: 13px; font-weight: 400 }
    svg { display: block; width: 100%; height: auto; overflow: visible }
    svg text { fill: var(--pale); font-size: 13px; font-variant-numeric: tabular-nums }
    svg .own .value, .own .label { fill: var(--ink); font-weight: 600 }
    @media (max-width: 560px) { svg text { font-size: 16px } }
    .parts svg .label { font-weight: 400; paint-order: stroke; stroke: var(--page);
      stroke-width: 5px }
    .grid { stroke: var(--line); stroke-width: 1 }
    .chance { stroke: var(--pale); stroke-width: 1.5; stroke-dasharray: 4 4 }
    .own rect { fill: var(--own) }
    .other rect { fill: var(--other) }
    .whisker { fill: none; stroke: var(--ink); stroke-width: 1.5 }
    .key { color: var(--pale); font-size: 13px; margin-bottom: 12px }
    .key span { margin-right: 16px }
    .key span::before { content: ""; display: inline-block; width: 12px; height: 12px;
      border-radius: 2px; margin-right: 6px; vertical-align: -1px }
    .key .own::before { background: var(--own) }
    .key .other::before { background: var(--other) }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { padding: 4px 16px 4px 0; border-bottom: 1px solid var(--line); text-align: right;
      font-weight: 400; white-space: nowrap }
    th:first-child, .word { text-align: left }
    thead th { color: var(--pale) }
    main > details { margin-top: 24px }
    main > details > summary { font-size: 18px; font-weight: 600 }
    summary { cursor: pointer }
    .wide { overflow-x: auto }
    form { display: flex; flex-wrap: wrap; gap: 8px 16px; margin: 8px 0 }
    label { display: flex; align-items: center; gap: 8px; color: var(--pale); font-size: 13px;
      max-width: 100% }
    .grow { flex: 1 1 240px }
    .grow input { flex: 1; width: 100% }
    select, input, button { font: inherit; color: var(--ink); background: var(--panel);
      border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; min-width: 0 }
    button { cursor: pointer; margin-top: 12px }
    :focus-visible { outline: 2px solid var(--own); outline-offset: 2px }
    #count { color: var(--pale); font-size: 13px }
    #list details { border: 1px solid var(--line); border-radius: 8px; margin-top: 8px;
      background: var(--panel) }
    #list summary { display: flex; gap: 10px; padding: 8px 12px; list-style: none;
      align-items: baseline }
    #list summary::-webkit-details-marker { display: none }
    #list .line { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis;
      white-space: nowrap }
    #list .number { color: var(--pale); font-variant-numeric: tabular-nums }
    .mark { font-weight: 700 }
    .mark.right { color: var(--right) }
    .mark.wrong { color: var(--wrong) }
    #list .body { padding: 0 12px 12px; border-top: 1px solid var(--line) }
    #list h3 { font-size: 13px; font-weight: 400; color: var(--pale); margin: 12px 0 4px }
    pre { margin: 0; padding: 8px 10px; background: var(--page); border: 1px solid var(--line);
      border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 380px;
      overflow-y: auto; font: 13px/1.45 ui-monospace, monospace }
    #list table { width: 100% }
    #list td, #list th { white-space: normal; vertical-align: top }
    @media (min-width: 561px) { #list td, #list th { white-space: nowrap } }
    #list td.word { white-space: pre-wrap; overflow-wrap: anywhere; width: 100% }
    tr.target td.word { font-weight: 600 }
    """
}
