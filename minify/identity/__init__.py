"""Who the program runs as: the user, its passwd and group entries, what it may write.

    identity = choose_user(request, config, keep, tree)
    identity.user            # "10001", for USER
    identity.passwd          # the lines that /etc/passwd will have
    identity.why             # a sentence for the summary

Accounts are those of the image's own /etc/passwd and /etc/group; nothing of the host is asked.
"""

from minify.identity.accounts import Accounts
from minify.identity.choice import choose_user, unchanged_user
from minify.identity.identity import Given, Identity, Opened, Rejected, Wishes, Withheld

__all__ = [
    "Accounts",
    "Given",
    "Identity",
    "Opened",
    "Rejected",
    "Wishes",
    "Withheld",
    "choose_user",
    "unchanged_user",
]
