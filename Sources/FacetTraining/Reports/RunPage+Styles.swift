// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension RunPage {
  /// Colours, for light and for dark, and what curves look like.
  private static let drawingStyles = """
    :root { --page: #ffffff; --panel: #f6f8fa; --ink: #1f2328; --pale: #59636e; --line: #d1d9e0;
      --train: #2a6fdb; --eval: #bc4c00 }
    @media (prefers-color-scheme: dark) {
      :root { --page: #0d1117; --panel: #151b23; --ink: #e6edf3; --pale: #9198a1; --line: #3d444d;
        --train: #4493f8; --eval: #f0883e }
    }
    svg text { fill: var(--pale); font-size: 13px }
    .grid { stroke: var(--line); stroke-width: 1 }
    .curve { fill: none; stroke-width: 2; stroke-linejoin: round }
    .curve.train { stroke: var(--train) }
    .curve.eval { stroke: var(--eval) }
    circle.train { fill: var(--train) }
    circle.eval { fill: var(--eval) }
    """

  /// The style sheet of a curve in a file of its own.
  static let curveStyles =
    drawingStyles + """

      svg { background: var(--page) }
      svg text.train { fill: var(--train) }
      svg text.eval { fill: var(--eval) }
      """

  /// The page's style sheet.
  static let styles =
    drawingStyles + """

      body { margin: 0; background: var(--page); color: var(--ink);
        font: 15px/1.5 system-ui, sans-serif }
      main { max-width: 1120px; margin: 0 auto; padding: 24px }
      h1 { font-size: 24px; margin: 0 0 16px }
      h2 { font-size: 18px; margin: 32px 0 8px }
      dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(220px, 40%), 1fr));
        gap: 12px; margin: 0 0 24px }
      dl div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
        padding: 8px 12px }
      dt { color: var(--pale); font-size: 13px }
      dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums }
      .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
        gap: 16px }
      figure { margin: 0; padding: 12px; border: 1px solid var(--line); border-radius: 8px }
      figcaption { font-weight: 600; margin-bottom: 4px }
      svg { display: block; width: 100%; height: auto; overflow: visible }
      @media (max-width: 560px) { svg text { font-size: 17px } }
      .key { margin-left: 12px; font-weight: 400; font-size: 13px; color: var(--pale) }
      .key::before { content: ""; display: inline-block; width: 16px; height: 3px;
        margin-right: 6px; vertical-align: middle }
      .key.train::before { background: var(--train) }
      .key.eval::before { background: var(--eval) }
      table { border-collapse: collapse; font-variant-numeric: tabular-nums }
      caption { text-align: left; font-weight: 600; padding: 12px 0 4px }
      th, td { padding: 4px 16px 4px 0; border-bottom: 1px solid var(--line); text-align: right;
        font-weight: 400 }
      thead th, .settings th { color: var(--pale) }
      .settings th, .settings td { text-align: left; overflow-wrap: anywhere }
      details { margin-top: 32px }
      summary { font-size: 18px; font-weight: 600; cursor: pointer }
      .wide { overflow-x: auto }
      """
}
