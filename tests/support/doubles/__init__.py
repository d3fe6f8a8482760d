"""What tests of the doubles share: somebody who talks to each, and what it is compared with."""
