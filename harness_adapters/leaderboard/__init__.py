"""Results that a third party can check: submissions, their verification, and a site of them."""
