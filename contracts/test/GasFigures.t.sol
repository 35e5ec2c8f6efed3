// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PortGas} from "./support/PortGas.sol";
import {RailGas} from "./support/RailGas.sol";

/// @title gas.json, from which the simulation prices every rail and job, is what contracts cost.
/// @dev `TELEX_WRITE_GAS=true forge test --match-contract GasFigures` writes it anew.
contract GasFiguresTest is RailGas, PortGas {
    struct Figure {
        string rail;
        string name;
        uint256 gas;
    }

    string private constant PATH = "gas.json";
    uint256 private constant TWO_PERCENT = 0.02e18;

    Figure[] private figures;

    function setUp() public override {
        super.setUp();
        openPort();
        if (!vm.envOr("TELEX_WRITE_GAS", false)) return;
        measure();
        vm.writeFile(PATH, json());
    }

    function put(string memory rail, string memory name, uint256 gas) private {
        figures.push(Figure(rail, name, gas));
    }

    /// @dev All figures anew, in the order of gas.json: by name.
    function measure() private {
        delete figures;
        measureBatch();
        measureChannel();
        uint256 few = epochGas(20, 20);
        uint256 perAgent = (epochGas(120, 20) - few) / 100;
        uint256 perModel = (epochGas(20, 120) - few) / 100;
        put("epoch_root", "base", few - 20 * (perAgent + perModel));
        put("epoch_root", "per_agent", perAgent);
        put("epoch_root", "per_model", perModel);
        (uint256 open, uint256 deliver, uint256 release) = jobGas();
        put("escrow_job", "deliver", deliver);
        put("escrow_job", "open", open);
        put("escrow_job", "per_call", open + deliver + release);
        put("escrow_job", "refund", refundJobGas());
        put("escrow_job", "release", release);
        measurePort();
        deductGas(0);
        uint256 deduction = deductGas(0);
        put("prepaid", "per_call", deduction);
        put("prepaid", "per_call_event", deductGas(1) - deduction);
        put("transfer", "per_call", transferGas());
        measureSplit("transfer");
        put("x402_exact", "per_call", authorizationGas());
        measureSplit("x402_exact");
    }

    /// @dev Differences of measured batches around 1,000 calls, 20 agents, 20 models, without
    /// events.
    function measureBatch() private {
        uint256 middle = settleGas(1000, 20, 20, 0);
        uint256 perCall = (middle - settleGas(500, 20, 20, 0)) / 500;
        uint256 perCallEvent = (settleGas(1000, 20, 20, 1) - middle) / 1000;
        uint256 perAgent = (settleGas(1000, 200, 20, 0) - middle) / 180;
        uint256 perModel = (settleGas(1000, 20, 200, 0) - middle) / 180;
        put("batch", "base", middle - 1000 * perCall - 20 * (perAgent + perModel));
        put("batch", "per_agent", perAgent);
        put("batch", "per_call", perCall);
        put("batch", "per_call_event", perCallEvent);
        put("batch", "per_model", perModel);
    }

    function measureChannel() private {
        claimGas(100);
        uint256 ten = claimGas(10);
        uint256 perVoucher = (claimGas(100) - ten) / 90;
        put("channel", "claim_base", ten - 10 * perVoucher);
        put("channel", "claim_per_voucher", perVoucher);
        put("channel", "deposit", depositChannelGas());
        refundChannelGas();
        put("channel", "refund", refundChannelGas());
        put("channel", "settle", settleChannelsGas());
        measureSplit("channel");
    }

    function measurePort() private {
        (uint256 deposit, uint256 create_, uint256 terminal) = portJobGas();
        (uint256 one, uint256 two, uint256 update, uint256 deregister) = registryGas();
        put("port", "create_job", create_);
        put("port", "deposit", deposit);
        put("port", "deregister_miner", deregister);
        put("port", "miner_intent", two - one);
        put("port", "register_miner", one);
        put("port", "terminal", terminal);
        put("port", "update_miner", update);
    }

    /// @dev What the hub takes to split what these rails pay it.
    function measureSplit(string memory rail) private {
        splitGas(100, 20);
        uint256 few = splitGas(100, 10);
        uint256 perCall = (splitGas(200, 10) - few) / 100;
        uint256 perModel = (splitGas(100, 20) - few) / 10;
        put(rail, "split_base", few - 100 * perCall - 10 * perModel);
        put(rail, "split_per_call", perCall);
        put(rail, "split_per_model", perModel);
    }

    function committed(string memory rail, string memory name) private view returns (uint256) {
        return vm.parseJsonUint(vm.readFile(PATH), string.concat(".", rail, ".", name));
    }

    function json() private view returns (string memory text) {
        text = "{";
        for (uint256 i = 0; i < figures.length; ++i) {
            Figure memory figure = figures[i];
            bool isFirst = i == 0 || !same(figures[i - 1].rail, figure.rail);
            if (isFirst) {
                text =
                    string.concat(text, i == 0 ? "\n" : "\n  },\n", '  "', figure.rail, '": {\n');
            } else {
                text = string.concat(text, ",\n");
            }
            text = string.concat(text, '    "', figure.name, '": ', vm.toString(figure.gas));
        }
        text = string.concat(text, "\n  }\n}\n");
    }

    function same(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function test_each_figure_agrees_with_measurement_within_two_percent() public {
        measure();
        for (uint256 i = 0; i < figures.length; ++i) {
            Figure memory figure = figures[i];
            uint256 found = committed(figure.rail, figure.name);
            string memory what = string.concat(figure.rail, " ", figure.name);
            vm.assertApproxEqRel(found, figure.gas, TWO_PERCENT, what);
        }
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
        uint256 perCall = committed("batch", "per_call");
        if (flags != 0) perCall += committed("batch", "per_call_event");
        uint256 foretold = committed("batch", "base") + calls * perCall + agents
            * committed("batch", "per_agent") + models * committed("batch", "per_model");
        uint256 measured = settleGas(calls, agents, models, flags);
        vm.assertApproxEqRel(foretold, measured, TWO_PERCENT, "gas of the batch");
    }

    /// @dev What is to be expected of each rail. A voucher's 17,400 has 4,100 of calldata in it;
    /// x402 publishes 16,866 for each claim after the first.
    function test_each_rail_costs_what_the_table_expects() public view {
        assertLe(committed("transfer", "per_call"), 37_000, "transfer");
        assertLe(committed("x402_exact", "per_call"), 66_000, "x402-exact");
        assertLe(committed("escrow_job", "per_call"), 205_000, "escrow-job");
        assertLe(committed("prepaid", "per_call"), 77_000, "prepaid");
        assertLe(committed("channel", "claim_per_voucher"), 17_400, "channel");
        uint256 epoch = committed("epoch_root", "base") + 1000
            * committed("epoch_root", "per_agent") + 20 * committed("epoch_root", "per_model");
        assertLe(epoch / 50_000, 215, "epoch-root, 50,000 calls by 1,000 agents");
    }
}
