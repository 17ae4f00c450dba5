// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IAuction} from "../../../contracts/interfaces/IAuction.sol";
import {IBilaterals} from "../../../contracts/interfaces/IBilaterals.sol";
import {IEmergency, MarketLimits} from "../../../contracts/interfaces/IEmergency.sol";
import {GridZone, IGrid} from "../../../contracts/interfaces/IGrid.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {IMeteringPoints} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {IMeterOracle} from "../../../contracts/interfaces/IMeterOracle.sol";
import {IOrderBook} from "../../../contracts/interfaces/IOrderBook.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {ITariffs} from "../../../contracts/interfaces/ITariffs.sol";
import {CHEATS} from "./Cheats.sol";

interface IMintable is IERC20 {
    function mint(address to, uint256 amount) external;
}

/// The market core, deployed from the artifacts of the build (the bytecode that is deployed anywhere else), wired as scripts/deploy
/// wires it. This contract is the admin, and a module of the ledger.
abstract contract World {
    uint32 internal constant GENESIS = 1_963_584;
    /// Slots before the first turn.
    uint32 internal constant HISTORY = 104;
    int40 internal constant HIGHEST_IMPORT = 400_000;
    int40 internal constant LOWEST_EXPORT = -50_000;
    int40 internal constant LOWEST_PRICE = -500_000;
    int40 internal constant HIGHEST_PRICE = 1_200_000;
    uint32 internal constant WORD_FEE = 1_000;
    uint32 internal constant PENALTY = 100_000;
    uint32 internal constant LOWERING_DELAY = 3_600;
    uint256 internal constant WITHDRAWN_PER_DAY = 300e6;
    uint256 internal constant NODES = 4;
    uint64 internal constant OPERATOR_ROLE = 1;
    uint64 internal constant GUARDIAN_ROLE = 2;

    address internal constant OPERATOR_QUORUM = address(0x0be7a704);
    address internal constant GUARDIAN = address(0x94a4d1a4);
    address internal constant BACKUP_OWNER = address(0xbac09);
    address internal constant STRANGER = address(0x57a49e4);

    IMintable public token;
    IAccessManager internal access;
    IGrid public grid;
    IMeteringPoints public points;
    ITariffs public tariffs;
    ILedger public ledger;
    IOrderBook public book;
    IAuction public auction;
    IMeterOracle public oracle;
    IBilaterals public bilaterals;
    ISettlement public settlement;
    IEmergency public emergency;

    struct OrderBookArgs {
        address points;
        address tariffs;
        address ledger;
        address settlement;
        address sealedBatches;
        address emergency;
    }

    constructor() {
        CHEATS.warp((uint256(GENESIS) - 1) * 900);
        address[16] memory places;
        for (uint256 i = 1; i < 16; ++i) places[i] = CHEATS.computeCreateAddress(address(this), i);
        access = IAccessManager(_create("MarketAccess", abi.encode(address(this))));
        token = IMintable(_create("TestToken", ""));
        grid = IGrid(_create("Grid", abi.encode(places[1], places[8])));
        points = IMeteringPoints(_create("MeteringPoints", abi.encode(places[1], places[3], places[8])));
        tariffs = ITariffs(_create("Tariffs", _tariffArgs(places)));
        ledger = ILedger(_create("Ledger", _ledgerArgs(places)));
        _create("SealedBatches", abi.encode(places[8], places[6], 10e6));
        book = IOrderBook(
            _create(
                "OrderBook",
                abi.encode(OrderBookArgs(places[4], places[5], places[6], places[12], places[7], places[14]))
            )
        );
        auction = IAuction(_create("Auction", abi.encode(places[8], places[3], places[5], places[11])));
        oracle = IMeterOracle(_create("MeterOracle", abi.encode(places[1], places[12])));
        bilaterals = IBilaterals(_create("Bilaterals", abi.encode(places[4], places[5], places[6])));
        settlement = ISettlement(
            _create(
                "Settlement",
                abi.encode(
                    places[4],
                    places[3],
                    places[5],
                    places[6],
                    places[8],
                    places[9],
                    places[10],
                    places[13],
                    GENESIS
                )
            )
        );
        _create("Envelopes", abi.encode(places[1], places[12]));
        emergency = IEmergency(_create("Emergency", _emergencyArgs(places)));
        require(address(emergency) == places[14], "an address");
        _setRoles();
        _setGrid();
        token.mint(address(this), 1e15);
        token.approve(address(ledger), type(uint256).max);
    }

    function _tariffArgs(address[16] memory places) private pure returns (bytes memory) {
        return
            abi.encode(
                places[1],
                HIGHEST_IMPORT,
                LOWEST_EXPORT,
                LOWEST_PRICE,
                HIGHEST_PRICE,
                WORD_FEE,
                PENALTY,
                places[12],
                address(0)
            );
    }

    function _ledgerArgs(address[16] memory places) private view returns (bytes memory) {
        address[] memory modules = new address[](1);
        modules[0] = address(this);
        return
            abi.encode(places[2], places[4], places[12], places[8], places[11], BACKUP_OWNER, OPERATOR_QUORUM, modules);
    }

    function _emergencyArgs(address[16] memory places) private pure returns (bytes memory) {
        return
            abi.encode(
                places[1],
                [places[3], places[4], places[6], places[8], places[9], places[10]],
                GENESIS,
                MarketLimits(LOWEST_PRICE, 350_000, 12, WITHDRAWN_PER_DAY, LOWERING_DELAY, 0)
            );
    }

    function _create(string memory name, bytes memory arguments) private returns (address made) {
        bytes memory code = bytes.concat(CHEATS.getCode(name), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function _setRoles() private {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (IGrid.setGrid.selector, IGrid.island.selector);
        access.setTargetFunctionRole(address(grid), selectors, OPERATOR_ROLE);
        (selectors[0], selectors[1]) = (IMeteringPoints.register.selector, IMeteringPoints.setPriority.selector);
        access.setTargetFunctionRole(address(points), selectors, OPERATOR_ROLE);
        (selectors[0], selectors[1]) = (IEmergency.announceLowering.selector, IEmergency.lower.selector);
        access.setTargetFunctionRole(address(emergency), selectors, OPERATOR_ROLE);
        selectors = new bytes4[](1);
        selectors[0] = IEmergency.raise.selector;
        access.setTargetFunctionRole(address(emergency), selectors, GUARDIAN_ROLE);
        selectors[0] = ITariffs.publish.selector;
        access.setTargetFunctionRole(address(tariffs), selectors, OPERATOR_ROLE);
        access.grantRole(OPERATOR_ROLE, OPERATOR_QUORUM, 0);
        access.grantRole(GUARDIAN_ROLE, GUARDIAN, 0);
        address[] memory nodes = new address[](NODES);
        for (uint256 i = 0; i < NODES; ++i) nodes[i] = CHEATS.addr(_nodeKey(i));
        oracle.setCommittee(nodes, 1);
    }

    /// Two zones with a narrow line between them, the backup supplier in the first.
    function _zones() internal pure returns (GridZone[] memory zones) {
        zones = new GridZone[](2);
        zones[0] = GridZone(0, 0, 0, 4_000);
        zones[1] = GridZone(0, 900, 700, 0);
    }

    function _setGrid() private {
        CHEATS.prank(OPERATOR_QUORUM);
        grid.setGrid(0, _zones());
    }

    function _nodeKey(uint256 node) internal pure returns (uint256) {
        return 0xa000 + node;
    }

    /// The call is refused with this error.
    function _refused(address sender, address target, bytes memory data, bytes4 expected) internal {
        _refusedOr("refused: a call that must fail was taken", sender, target, data, expected);
    }

    function _refusedOr(
        string memory wrong,
        address sender,
        address target,
        bytes memory data,
        bytes4 expected
    ) internal {
        CHEATS.prank(sender);
        (bool done, bytes memory answer) = target.call(data);
        require(!done, wrong);
        require(answer.length >= 4 && bytes4(answer) == expected, "refused: another error");
    }

    /// The call is taken; else the message says what is wrong, with the error that it met.
    function _taken(
        string memory otherwise,
        address sender,
        address target,
        bytes memory data
    ) internal returns (bytes memory answer) {
        bool done;
        CHEATS.prank(sender);
        (done, answer) = target.call(data);
        if (done) return answer;
        bytes4 error_ = answer.length < 4 ? bytes4(0) : bytes4(answer);
        revert(string.concat(otherwise, " (", Strings.toHexString(uint32(error_), 4), ")"));
    }

    function _pick(uint256 seed, uint256 salt, uint256 below) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % below;
    }
}
