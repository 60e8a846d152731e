"""Who the program runs as: the user, its passwd and group entries, what it may write.

    identity = choose_user(Wishes(), config, keep, tree)
    identity.user            # "10001", for USER
    identity.passwd          # the lines that /etc/passwd will have
    identity.why             # a sentence for the summary
    identity.given           # what becomes its own, since the program writes to it
    identity.rejected        # who else was considered, and why not

Accounts are those of the image's own /etc/passwd and /etc/group; nothing of the host is asked.
"""

from minify.identity.accounts import Accounts
from minify.identity.choice import choose_user, unchanged_user
from minify.identity.identity import Given, Identity, Opened, Rejected, Wishes, Withheld
from minify.identity.ownership import given_paths, may_be_given

__all__ = [
    "Accounts",
    "Given",
    "Identity",
    "Opened",
    "Rejected",
    "Wishes",
    "Withheld",
    "choose_user",
    "given_paths",
    "may_be_given",
    "unchanged_user",
]
