// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPort} from "../src/port/IPort.sol";
import {PortTest} from "./support/PortTest.sol";

contract PortMinersTest is PortTest {
    bytes32 private constant HASH = bytes32(uint256(7));

    function test_a_registration_says_who_answers_what_from_which_price() public {
        string[] memory intents = new string[](2);
        (intents[0], intents[1]) = ("CODE_GENERATION", "WEB_SEARCH");
        vm.expectEmit(true, true, false, true, address(port));
        emit IPort.MinerRegistered(2, AGENT, "https://a", HASH, FEE_ADDRESS, 20_000, intents);
        vm.prank(AGENT);
        uint256 id = port.registerMiner("https://a", HASH, FEE_ADDRESS, 20_000, intents);
        assertEq(id, 2, "id");
        assertEq(port.minerCount(), 2, "miners");
        (
            address miner,
            string memory yamlUrl,
            bytes32 yamlHash,
            bool active,
            bytes32 intentId,
            address feeAddress,
            uint256 minPriceUsdc,
            string[] memory supported
        ) = port.getMiner(2);
        assertEq(miner, AGENT, "miner");
        assertEq(yamlUrl, "https://a", "url");
        assertEq(yamlHash, HASH, "hash");
        assertTrue(active, "active");
        assertEq(intentId, keccak256(abi.encodePacked(AGENT, HASH, block.number)), "intent id");
        assertEq(feeAddress, FEE_ADDRESS, "fee address");
        assertEq(minPriceUsdc, 20_000, "price");
        assertEq(supported.length, 2, "intents");
        assertEq(supported[1], "WEB_SEARCH", "the second");
    }

    function refuseRegistration(
        address feeAddress,
        uint256 price,
        string[] memory intents,
        string memory reason
    ) private {
        refuse(string.concat("MinerRegistryFacet: ", reason));
        port.registerMiner("u", HASH, feeAddress, price, intents);
    }

    function test_registrations_that_cannot_be_revert() public {
        refuseRegistration(address(0), 10_000, chat(), "zero fee address");
        refuseRegistration(FEE_ADDRESS, 9999, chat(), "price below minimum");
        refuseRegistration(FEE_ADDRESS, 10_000, new string[](0), "no intents");
        string[] memory intents = chat();
        intents[0] = "chat_completion";
        refuseRegistration(FEE_ADDRESS, 10_000, intents, "unsupported intent");
    }

    function isActive(uint256 id) private view returns (bool active) {
        (,,, active,,,,) = port.getMiner(id);
    }

    function test_an_update_is_a_new_registration_with_a_new_id() public {
        vm.expectEmit(true, true, false, true, address(port));
        emit IPort.MinerDeregistered(1, MINER);
        vm.prank(MINER);
        port.updateMiner(1, "ipfs://new", HASH, AGENT, 50_000, chat());
        assertEq(port.minerCount(), 2, "miners");
        assertFalse(isActive(1), "the old");
        assertTrue(isActive(2), "the new");
        createJob();
        answer(1);
        assertEq(usdc.balanceOf(AGENT), 980_000, "paid to the new fee address");
    }

    function test_only_the_miner_leaves_and_once() public {
        refuse("MinerRegistryFacet: not the miner");
        port.deregisterMiner(1);
        refuse("MinerRegistryFacet: not the miner");
        port.updateMiner(1, "u", HASH, FEE_ADDRESS, 10_000, chat());
        vm.prank(MINER);
        port.deregisterMiner(1);
        assertFalse(isActive(1), "active");
        vm.prank(MINER);
        refuse("MinerRegistryFacet: not active");
        port.deregisterMiner(1);
    }

    function test_a_miner_that_left_is_still_paid_for_what_it_answered() public {
        createJob();
        vm.prank(MINER);
        port.deregisterMiner(1);
        answer(1);
        assertEq(usdc.balanceOf(FEE_ADDRESS), 980_000, "paid");
    }

    function test_the_canonical_intents_are_the_protocols_and_ours() public view {
        string[] memory intents = port.getCanonicalIntents();
        assertEq(intents.length, 35, "intents");
        assertEq(intents[0], "LANGUAGE_GENERATION", "the first");
        assertEq(intents[34], "CODE_GENERATION", "the last");
        for (uint256 i = 0; i < intents.length; ++i) {
            assertTrue(port.isCanonicalIntent(intents[i]), intents[i]);
        }
        assertFalse(port.isCanonicalIntent("Web_Search"), "another spelling");
    }
}
