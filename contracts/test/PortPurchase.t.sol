// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPort} from "../src/port/IPort.sol";
import {PortPoolTest} from "./support/PortPoolTest.sol";
import {Vm} from "./support/Vm.sol";

/// @title Miners paid in MACHINA, through the pool that Uniswap's own code makes.
contract PortPurchaseTest is PortPoolTest {
    uint256 private constant POOL_USDC = 4000e6;

    Exchange private exchange;
    uint256 private poolMachina;

    function setUp() public override {
        super.setUp();
        Exchange memory made = deployUniswap();
        address[] memory self = new address[](1);
        self[0] = address(this);
        machina.mintEpoch(self, new address[](0), new uint256[](0));
        poolMachina = machina.balanceOf(address(this));
        usdc.mint(address(this), POOL_USDC);
        openPool(
            made,
            IERC20(address(usdc)),
            POOL_USDC,
            IERC20(address(machina)),
            poolMachina,
            address(this)
        );
        exchange = made;
        port = portOn(made.swapRouter);
        register(MINER, FEE_ADDRESS);
        fund(AGENT, 1000 * DOLLAR);
    }

    /// @dev x * y = k, the pool's 0.3 % off the way in: a full-range position is that.
    function expected(uint256 amount) private view returns (uint256) {
        uint256 net = amount * 997 / 1000;
        return poolMachina * net / (POOL_USDC + net);
    }

    function test_the_pool_is_uniswaps_own() public view {
        address pool = exchange.factory.getPool(address(machina), address(usdc), POOL_FEE);
        assertEq(pool, exchange.pool, "pool");
        assertLe(POOL_USDC - 1000, usdc.balanceOf(pool), "usdc in it");
        assertLe(poolMachina - 1e15, machina.balanceOf(pool), "machina in it");
    }

    function test_a_job_buys_machina_for_the_miner() public {
        createJob();
        vm.expectEmit(true, false, false, false, address(port));
        emit IPort.USDCSwapped(980_000, 0, 1);
        answer(1);
        uint256 bought = machina.balanceOf(FEE_ADDRESS);
        vm.assertApproxEqRel(bought, expected(980_000), 1e12, "bought");
        assertEq(port.epochTotalMachina(1), bought, "in the epoch");
        assertEq(usdc.balanceOf(FEE_ADDRESS), 0, "usdc");
        assertEq(usdc.balanceOf(TREASURY), 20_000, "treasury");
        assertEq(usdc.allowance(address(port), exchange.swapRouter), 0, "allowance left");
    }

    function test_a_pool_that_cannot_swap_leaves_the_miner_its_usdc() public {
        vm.etch(exchange.pool, hex"5f5ffd");
        createJob();
        answer(1);
        assertEq(usdc.balanceOf(FEE_ADDRESS), 980_000, "usdc");
        assertEq(port.epochTotalMachina(1), 0, "bought");
        assertEq(usdc.allowance(address(port), exchange.swapRouter), 0, "allowance left");
    }

    function test_what_a_shallow_pool_leaves_the_miner_has_in_usdc() public {
        port = portOn(shallowPool(DOLLAR / 5).swapRouter);
        register(MINER, FEE_ADDRESS);
        fund(AGENT, 10 * DOLLAR);
        IPort.Delivery[] memory list = new IPort.Delivery[](1);
        list[0] = IPort.Delivery(AGENT, MINER, 5 * DOLLAR);
        vm.prank(AUTHORITY);
        port.submitEpoch(1, 0, list, 0, 0);
        createJob();
        vm.recordLogs();
        answer(1);
        (uint256 swapped, uint256 bought) = purchase(vm.getRecordedLogs());
        uint256 rest = usdc.balanceOf(FEE_ADDRESS);
        assertLe(1, swapped, "swapped");
        assertLe(700_000, rest, "left by the job's purchase");
        assertEq(swapped + rest, 980_000, "paid");
        assertEq(machina.balanceOf(FEE_ADDRESS), bought, "bought");
        assertEq(port.epochTotalMachina(2), bought, "in the epoch");
        vm.prank(AUTHORITY);
        port.payMiner(MINER, 3 * DOLLAR, 0);
        assertEq(usdc.balanceOf(FEE_ADDRESS), rest + 3 * DOLLAR, "left by the drip, all of it");
        uint256 owed = port.escrowBalance(AGENT) + port.minerBalance(MINER);
        assertEq(usdc.balanceOf(address(port)), owed, "held");
    }

    /// @dev What the port's only USDCSwapped among them says.
    function purchase(Vm.Log[] memory logs)
        private
        view
        returns (uint256 swapped, uint256 bought)
    {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(port)) continue;
            if (logs[i].topics[0] != IPort.USDCSwapped.selector) continue;
            (swapped, bought) = abi.decode(logs[i].data, (uint256, uint256));
        }
    }

    function test_a_drip_buys_at_least_what_it_must_or_nothing() public {
        IPort.Delivery[] memory list = new IPort.Delivery[](1);
        list[0] = IPort.Delivery(AGENT, MINER, 200 * DOLLAR);
        vm.prank(AUTHORITY);
        port.submitEpoch(1, 0, list, 0, 0);
        uint256 least = expected(100 * DOLLAR) * 9999 / 10_000;
        vm.prank(AUTHORITY);
        refuse("Too little received");
        port.payMiner(MINER, 100 * DOLLAR, least * 2);
        vm.prank(AUTHORITY);
        port.payMiner(MINER, 100 * DOLLAR, least);
        uint256 bought = machina.balanceOf(FEE_ADDRESS);
        assertLe(least, bought, "bought");
        assertEq(port.minerBalance(MINER), 96 * DOLLAR, "left");
        assertEq(port.epochTotalMachina(2), bought, "in the epoch under way");
        list = new IPort.Delivery[](0);
        vm.expectEmit(true, false, false, true, address(port));
        emit IPort.EpochSubmitted(2, 0, 0, bought);
        vm.prank(AUTHORITY);
        port.submitEpoch(2, 0, list, 0, 0);
    }

    function testFuzz_the_pool_gives_what_its_curve_says(uint256 amount) public {
        amount = bound(amount, 10_000, 900 * DOLLAR);
        IPort.Delivery[] memory list = new IPort.Delivery[](1);
        list[0] = IPort.Delivery(AGENT, MINER, 1000 * DOLLAR);
        vm.prank(AUTHORITY);
        port.submitEpoch(1, 0, list, 0, 0);
        vm.prank(AUTHORITY);
        port.payMiner(MINER, amount, 0);
        vm.assertApproxEqRel(machina.balanceOf(FEE_ADDRESS), expected(amount), 1e15, "bought");
    }
}
