"""Deploys, operates, simulates and measures Deskbell. Nothing in `functions` imports it.

- `templates/`, `policies/`: CloudFormation, the closing workflow, each function's IAM policy.
- `deploy/`: the deployment steps and a stage's playbooks and secrets.
- `console/`: the `deskbell` command. May import `deploy`.
- `local/`: the local system, an emulator in place of AWS. May import `deploy` and `console`.
- `simulator/`: every function in one process, for tests and the bench. May import `deploy`.
- `bench/`: `make bench`. May import everything; nothing imports it.
- `docs/`: generates the tables in `docs/` from the code.

All of them may import `functions`.
"""
