internal import Transports

extension Worker: SessionKeeper {}
