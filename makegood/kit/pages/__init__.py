"""What all pages share: the frame, the design tokens, the components, and how times, money and refusals are said."""
