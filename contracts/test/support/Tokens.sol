// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A plain token to spoil.
abstract contract SpoiltToken is ERC20("Spoilt", "SPOILT") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _move(from, to, value);
    }

    function transferFrom(address from, address to, uint256 value)
        public
        virtual
        override
        returns (bool)
    {
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) internal virtual {
        _transfer(from, to, value);
    }
}

/// @title Keeps one unit of every transfer.
contract FeeToken is SpoiltToken {
    function _move(address from, address to, uint256 value) internal override {
        _transfer(from, to, value - 1);
        _burn(from, 1);
    }
}

/// @title Moves nothing and says so, or moves nothing and says nothing.
contract FalseToken is SpoiltToken {
    bool public isSilent;

    function beSilent() external {
        isSilent = true;
    }

    function transferFrom(address, address, uint256) public view override returns (bool) {
        return isSilent;
    }

    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function _move(address from, address to, uint256 value) internal override {}
}

/// @title Calls back into the ledger whenever it moves.
contract ReentrantToken is SpoiltToken {
    address public target;
    bytes public calldata_;

    function attack(address target_, bytes calldata data) external {
        (target, calldata_) = (target_, data);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        _attack();
        return super.transfer(to, value);
    }

    function _move(address from, address to, uint256 value) internal override {
        _attack();
        super._move(from, to, value);
    }

    function _attack() private {
        if (target == address(0)) return;
        (bool isDone, bytes memory reason) = target.call(calldata_);
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
