"""The paper's questionnaire (4.3.2) as a page of one's own: its sets, its answers, its figures."""
