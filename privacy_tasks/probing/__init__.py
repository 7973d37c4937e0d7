"""The probing family: may this item go to this recipient?"""
