"""The users of the Cognito pool, who sign in; what they may do says the roster."""

from __future__ import annotations

import contextlib
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.services.rights import desks_of

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_LETTERS = "".join(sorted({*string.ascii_letters, *string.digits} - {*"0O1lI"}))
"""The characters of a password that nobody takes for another."""


@dataclass(frozen=True)
class UserPool:
    """The user pool of a deployment."""

    cognito: CognitoIdentityProviderClient
    id: str

    def usernames(self) -> set[str]:
        pages = self.cognito.get_paginator("list_users").paginate(UserPoolId=self.id)
        return {user["Username"] for page in pages for user in page["Users"]}

    def has(self, username: str) -> bool:
        try:
            self.cognito.admin_get_user(UserPoolId=self.id, Username=username)
        except self.cognito.exceptions.UserNotFoundException:
            return False
        return True

    def create(
        self, desk: str, username: str, role: str, password: str, *, temporary: bool = False
    ) -> bool:
        """Create a user with a password, or find and enable them; add to `<desk>:<role>`.

        Args:
            temporary: the first sign-in asks for a password of one's own.

        Returns:
            Whether the user is new and has this password.
        """
        is_new = True
        try:
            self.cognito.admin_create_user(
                UserPoolId=self.id, Username=username, MessageAction="SUPPRESS"
            )
        except self.cognito.exceptions.UsernameExistsException:
            # They work at another desk already, or come back, and keep their password.
            self.cognito.admin_enable_user(UserPoolId=self.id, Username=username)
            is_new = False
        else:
            self.set_password(username, password, temporary=temporary)
        group = f"{desk}:{role}"
        with contextlib.suppress(self.cognito.exceptions.GroupExistsException):
            self.cognito.create_group(UserPoolId=self.id, GroupName=group)
        self.cognito.admin_add_user_to_group(UserPoolId=self.id, Username=username, GroupName=group)
        return is_new

    def set_password(self, username: str, password: str, *, temporary: bool = False) -> None:
        self.cognito.admin_set_user_password(
            UserPoolId=self.id, Username=username, Password=password, Permanent=not temporary
        )

    def remove_authenticator(self, username: str) -> None:
        self.cognito.admin_set_user_mfa_preference(
            UserPoolId=self.id,
            Username=username,
            SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
        )

    def sign_out(self, username: str) -> None:
        """End all sessions of a user."""
        self.cognito.admin_user_global_sign_out(UserPoolId=self.id, Username=username)

    def disable(self, username: str) -> None:
        self.cognito.admin_disable_user(UserPoolId=self.id, Username=username)

    def desks(self, username: str) -> frozenset[str] | None:
        """Return the desks of a user's groups; None if there is no such user."""
        pages = self.cognito.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self.id, Username=username
        )
        try:
            return desks_of([group["GroupName"] for page in pages for group in page["Groups"]])
        except self.cognito.exceptions.UserNotFoundException:
            return None


def new_password() -> str:
    """Return a password that keeps the pool's rules and can be read out."""
    while True:
        parts = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
        password = "-".join(parts)
        if all(any(map(test, password)) for test in (str.islower, str.isupper, str.isdigit)):
            return password
