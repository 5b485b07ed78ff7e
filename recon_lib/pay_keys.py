"""The four ids of Amazon Pay, as account.yml names them and as the frames call them, and the rules they make."""

from __future__ import annotations

from collections.abc import Sequence

from recon_lib.matching_terms import Rule

# The key as account.yml names it -> its column on both sides.
KEY_COLUMNS = {
    "AmazonTransactionId": "amazon_transaction_id",
    "SellerReferenceId": "seller_reference_id",
    "SellerOrderId": "seller_order_id",
    "AmazonOrderReferenceId": "order_reference_id",
}


def pay_rules(match_keys: Sequence[str]) -> list[Rule]:
    """The account's keys in its order.

    Only a capture or refund id is unique by nature; an order reference alone never shows a difference.
    """
    return [
        Rule(
            key,
            KEY_COLUMNS[key],
            KEY_COLUMNS[key],
            sure=key == "AmazonTransactionId",
            differs=key != "AmazonOrderReferenceId",
        )
        for key in match_keys
    ]
