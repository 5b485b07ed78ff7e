"""`recon fetch`: reports that are due come from Amazon into the account folder. The only room that talks to Amazon.

    problems.py         what can go wrong while fetching
    table.py            which reports, how asked for, how far back: one declared row each
    spans.py            days as joined spans
    plan.py             table row + what is known -> the periods to ask for
    state.py            what was asked, what arrived: one file, replaced whole
    keys.py             credentials, from the environment or the system keyring only
    wire.py             one HTTP client: rate limits, backoff, time limit; downloading.py: bytes -> a whole file
    selling_partner.py  the Selling Partner API through python-amazon-sp-api
    ready.py            what both APIs give, in the same words
    amazon_pay.py       the Amazon Pay report API; signing.py: its signatures
    collect.py          one report that is ready -> a file in reports/
    guarded.py          what one run holds; what goes wrong in one family does not stop the others
    steps.py            list, ask, wait, collect; run.py: one account from lock to result; tell.py: what the command says

`wire`, `selling_partner`, `amazon_pay` and `signing` need the extra `download`; they are imported when a run needs them.
"""
