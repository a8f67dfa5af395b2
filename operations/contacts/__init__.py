"""The address book 云通讯录: departments, people, teams, the duty roster and the duty list."""
