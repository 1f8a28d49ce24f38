// A service worker that does nothing. A browser takes one only from a server whose certificate it trusts, also where
// a person went on after its warning: so that it takes this one tells that it does.
