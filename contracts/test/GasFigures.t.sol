// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GasTest} from "./support/GasTest.sol";

/// @title gas.json, from which the simulation prices batches, is what the contract costs.
/// @dev `TELEX_WRITE_GAS=true forge test --match-contract GasFigures` writes it anew.
contract GasFiguresTest is GasTest {
    struct Figures {
        uint256 base;
        uint256 perCall;
        uint256 perCallEvent;
        uint256 perAgent;
        uint256 perModel;
    }

    string private constant PATH = "gas.json";
    uint256 private constant TWO_PERCENT = 0.02e18;

    function setUp() public override {
        super.setUp();
        if (vm.envOr("TELEX_WRITE_GAS", false)) vm.writeFile(PATH, json(fitted()));
    }

    /// @dev Differences of measured batches around 1,000 calls, 20 agents, 20 models, without
    /// events.
    function fitted() private returns (Figures memory figures) {
        uint256 middle = settleGas(1000, 20, 20, 0);
        figures.perCall = (middle - settleGas(500, 20, 20, 0)) / 500;
        figures.perCallEvent = (settleGas(1000, 20, 20, 1) - middle) / 1000;
        figures.perAgent = (settleGas(1000, 200, 20, 0) - middle) / 180;
        figures.perModel = (settleGas(1000, 20, 200, 0) - middle) / 180;
        figures.base = middle - 1000 * figures.perCall - 20 * (figures.perAgent + figures.perModel);
    }

    function committed() private view returns (Figures memory) {
        string memory text = vm.readFile(PATH);
        return Figures({
            base: vm.parseJsonUint(text, ".batch.base"),
            perCall: vm.parseJsonUint(text, ".batch.per_call"),
            perCallEvent: vm.parseJsonUint(text, ".batch.per_call_event"),
            perAgent: vm.parseJsonUint(text, ".batch.per_agent"),
            perModel: vm.parseJsonUint(text, ".batch.per_model")
        });
    }

    function json(Figures memory figures) private pure returns (string memory text) {
        text = string.concat('{\n  "batch": {\n', line("base", figures.base, ","));
        text = string.concat(text, line("per_agent", figures.perAgent, ","));
        text = string.concat(text, line("per_call", figures.perCall, ","));
        text = string.concat(text, line("per_call_event", figures.perCallEvent, ","));
        text = string.concat(text, line("per_model", figures.perModel, ""), "  }\n}\n");
    }

    function line(string memory name, uint256 gas, string memory end)
        private
        pure
        returns (string memory)
    {
        return string.concat('    "', name, '": ', vm.toString(gas), end, "\n");
    }

    function test_each_figure_agrees_with_measurement_within_two_percent() public {
        (Figures memory found, Figures memory needed) = (committed(), fitted());
        vm.assertApproxEqRel(found.base, needed.base, TWO_PERCENT, "base");
        vm.assertApproxEqRel(found.perCall, needed.perCall, TWO_PERCENT, "per call");
        vm.assertApproxEqRel(
            found.perCallEvent, needed.perCallEvent, TWO_PERCENT, "per call event"
        );
        vm.assertApproxEqRel(found.perAgent, needed.perAgent, TWO_PERCENT, "per agent");
        vm.assertApproxEqRel(found.perModel, needed.perModel, TWO_PERCENT, "per model");
    }

    function test_the_figures_foretell_other_batches_within_two_percent() public {
        requireForetold(1000, 20, 20, 1);
        requireForetold(1000, 1000, 20, 1);
        requireForetold(700, 100, 13, 1);
        requireForetold(300, 30, 13, 0);
        requireForetold(64, 20, 13, 1);
    }

    function requireForetold(uint256 calls, uint256 agents, uint256 models, uint256 flags)
        private
    {
        Figures memory figures = committed();
        uint256 foretold = figures.base + calls * (figures.perCall + flags * figures.perCallEvent)
            + agents * figures.perAgent + models * figures.perModel;
        uint256 measured = settleGas(calls, agents, models, flags);
        vm.assertApproxEqRel(foretold, measured, TWO_PERCENT, "gas of the batch");
    }
}
