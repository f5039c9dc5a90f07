from osler.cli import run
from osler.server.accounts import Accounts
from osler.settings import load_settings


def test_accounts_are_made_given_tokens_and_disabled(home, monkeypatch, capsys):
    def typed(*arguments, password=""):
        monkeypatch.setattr("sys.stdin", __import__("io").StringIO(f"{password}\n"))
        code = run(["accounts", *arguments])
        return code, capsys.readouterr()

    assert "no accounts" in typed("list")[1].out
    assert typed("add", "a", "--role", "clinician", password="short")[0] == 1
    assert typed("add", "a", "--role", "king", password="a long enough password")[0] == 1
    assert typed("add", "a", "--role", "clinician", password="a long enough password")[0] == 0
    accounts = Accounts(load_settings())
    assert accounts.check("a", "a long enough password").roles == ["clinician"]
    code, said = typed("token", "a")
    assert code == 0 and accounts.signed_in(said.out.strip()).principal.id == "a"
    assert typed("add", "b", "--role", "researcher", "--external")[0] == 0
    assert accounts.check("b", "") is None
    assert "researcher" in typed("list")[1].out
    assert typed("disable", "a")[0] == 0 and accounts.signed_in(said.out.strip()) is None
    assert typed("disable", "nobody")[0] == 1 and typed("token", "nobody")[0] == 1
