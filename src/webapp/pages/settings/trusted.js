// A service worker that does nothing. A browser accepts one only from a server whose certificate it trusts, even if a
// person went on after its warning: accepting this one shows that it does.
