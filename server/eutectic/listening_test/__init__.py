"""The paper's listening test (4.3.2) as a web page: its sets, answers and figures."""
