import type { ComponentChildren } from "preact";

/** Line icons on a 24 px grid; they take the colour of the text and say nothing to a screen reader. */
const icon = (children: ComponentChildren) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    {children}
  </svg>
);

export const GridIcon = () =>
  icon(
    <>
      <circle cx="5" cy="12" r="2.5" />
      <circle cx="19" cy="5" r="2.5" />
      <circle cx="19" cy="19" r="2.5" />
      <path d="M7.3 10.9 16.7 6.1M7.3 13.1l9.4 4.8" />
    </>,
  );
export const HomeIcon = () => icon(<path d="M3 11.5 12 4l9 7.5M5.5 9.5V20h13V9.5M10 20v-6h4v6" />);
export const SlotIcon = () =>
  icon(
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 7v5l3.5 2" />
    </>,
  );
export const CheatIcon = () =>
  icon(<path d="M12 3 4.5 6v5.5c0 4.6 3.1 8 7.5 9.5 4.4-1.5 7.5-4.9 7.5-9.5V6zM9 9.5l6 6m0-6-6 6" />);
export const HomesIcon = () => icon(<path d="M2.5 11 8 6.5l5.5 4.5M4 10v8h8v-8M13 6.5 16 4l5.5 4.5M20 7.5V16h-5" />);
export const NodesIcon = () =>
  icon(
    <>
      <rect x="4" y="4" width="16" height="6.5" rx="1.5" />
      <rect x="4" y="13.5" width="16" height="6.5" rx="1.5" />
      <path d="M7.5 7.25h.01M7.5 16.750h.01M11 7.25h5.5M11 16.750h5.5" />
    </>,
  );
export const CopyIcon = () =>
  icon(
    <>
      <rect x="8.5" y="8.5" width="11" height="11" rx="1.5" />
      <path d="M15.5 8.5V6A1.5 1.5 0 0 0 14 4.5H6A1.5 1.5 0 0 0 4.5 6v8A1.5 1.5 0 0 0 6 15.5h2.5" />
    </>,
  );
export const CheckIcon = () => icon(<path d="m5 12.5 4.5 4.5L19 7" />);
export const CrossIcon = () => icon(<path d="M6 6l12 12M18 6 6 18" />);
export const WarnIcon = () => icon(<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.25v.01" />);
export const LeftIcon = () => icon(<path d="m14.5 5-7 7 7 7" />);
export const RightIcon = () => icon(<path d="m9.5 5 7 7-7 7" />);
export const LinkIcon = () => icon(<path d="M8 4.5H5.5v15h15V17M13 4.5h6.5V11M19 5l-8.5 8.5" />);
export const KeyIcon = () =>
  icon(
    <>
      <circle cx="8" cy="15.5" r="4.5" />
      <path d="m11.5 12.5 8-8M16 8l3 3" />
    </>,
  );
