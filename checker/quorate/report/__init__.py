"""From outcomes and traces to text, pictures, pages and machine formats: pure functions, no searching."""
