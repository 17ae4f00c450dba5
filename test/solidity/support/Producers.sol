// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificates} from "../../../contracts/interfaces/ICertificates.sol";
import {GeneratorKind, GeneratorTerms, IGenerators} from "../../../contracts/interfaces/IGenerators.sol";
import {IIncentives, PremiumStep} from "../../../contracts/interfaces/IIncentives.sol";
import {Point} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {CertifiedModel} from "./CertifiedModel.sol";
import {DayArchive} from "./DayArchive.sol";
import {Mintable} from "./Stand.sol";

interface Balances {
    function balanceOf(address account, uint256 id) external view returns (uint256);
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external;
}

interface Roles {
    function setTargetFunctionRole(address target, bytes4[] calldata selectors, uint64 role) external;
    function grantRole(uint64 role, address account, uint32 delay) external;
}

/// Four owners, three metering points and two generators: generator 0 is certified by the export of point 0, generator 1 stands with
/// a storage unit behind point 1 and has a meter of its own. Generators, certificates and incentives are the real ones; archive and
/// points are made here. The first day is the last of a month.
abstract contract Producers is DayArchive {
    using CertifiedModel for CertifiedModel.Model;

    uint256 public constant OWNERS = 4;
    uint256 internal constant POINTS = 3;
    uint32 internal constant OWN_METER = 1 << 31;
    /// 31 January 2026.
    uint32 internal constant FIRST_DAY = 20_484;
    uint32 public constant FIRST = FIRST_DAY * SLOTS_PER_DAY;
    uint16 public constant FIRST_MONTH = 2026 * 12;
    uint32 internal constant NAMEPLATE_W = 8_000;
    uint256 public constant HIGHEST_WH = NAMEPLATE_W / 4;
    uint24 internal constant OPERATING_ABOVE_WH = 50;
    uint64 public constant CAP_WH = 7_000;
    /// A slot's readings can be used two slots later: certification and maintenance act ahead of them.
    uint32 private constant LAG = 2;

    IGenerators public immutable generators;
    ICertificates public immutable certificates;
    IIncentives public immutable incentives;
    Mintable public immutable token;

    address[POINTS] public ownerOf;
    address[2] public producerOf;
    CertifiedModel.Model[2] internal _models;

    constructor() DayArchive(FIRST_DAY) {
        VM.warp(uint256(FIRST - 1) * SLOT_SECONDS);
        token = Mintable(_deploy("TestToken.sol:TestToken", ""));
        Roles access = Roles(_deploy("MarketAccess.sol:MarketAccess", abi.encode(address(this))));
        // The generators stand first, and name the certificates that come next.
        address later = _next(1);
        generators = IGenerators(_deploy("Generators.sol:Generators", abi.encode(access, address(this), later)));
        certificates = ICertificates(
            _deploy("Certificates.sol:Certificates", abi.encode(address(this), generators, address(this)))
        );
        require(address(certificates) == later, "address of the certificates");
        PremiumStep[] memory steps = new PremiumStep[](2);
        (steps[0], steps[1]) = (PremiumStep(3_000, 50_001), PremiumStep(12_000, 20_003));
        incentives = IIncentives(_deploy("Incentives.sol:Incentives", abi.encode(token, generators, CAP_WH, steps)));
        _grant(access);
        for (uint256 point = 0; point < POINTS; ++point) ownerOf[point] = _actor(point);
        token.mint(address(this), 1e18);
        token.approve(address(incentives), type(uint256).max);
        incentives.fund(100);
    }

    /// Once, when this contract can answer: the generators.
    function begin() external {
        if (generators.generatorCount() != 0) return;
        for (uint32 i = 0; i < 2; ++i) _register(i);
    }

    function pointOf(uint32 point) external view returns (Point memory found) {
        found.owner = ownerOf[point];
    }

    function actor(uint256 index) public pure returns (address) {
        return _actor(index % OWNERS);
    }

    /// Wh of one id in all hands.
    function heldWh(uint256 id) public view returns (uint256 sum) {
        for (uint256 i = 0; i < OWNERS; ++i) sum += balanceOf(_actor(i), id);
    }

    function balanceOf(address holder, uint256 id) public view returns (uint256) {
        return Balances(address(certificates)).balanceOf(holder, id);
    }

    function idOf(uint256 generator, uint32 slot) public pure returns (uint256) {
        return (generator << 32) | slot;
    }

    /// Where the reading of a generator's meter stands.
    function meterIndexOf(uint256 generator) public pure returns (uint256) {
        return generator == 0 ? 0 : POINTS;
    }

    function isCertified(uint256 generator, uint32 slot) public view returns (bool) {
        return _models[generator].isCertified(slot);
    }

    function salesAt(uint32 slot) external view returns (bytes memory) {
        return _sales[slot];
    }

    function _meterAt(uint256 index) internal pure override returns (uint256) {
        return index < POINTS ? index : OWN_METER;
    }

    /// The present slot lies ahead of what is archived.
    function _goOn() internal {
        uint32 to = nextSlot() - 1 + LAG;
        _warp(uint256(to) * SLOT_SECONDS);
        for (uint256 i = 0; i < 2; ++i) _models[i].advance(to);
    }

    function _grant(Roles access) private {
        bytes4[] memory restricted = new bytes4[](4);
        restricted[0] = IGenerators.certify.selector;
        restricted[1] = IGenerators.revoke.selector;
        restricted[2] = IGenerators.recordMaintenance.selector;
        restricted[3] = IGenerators.flagStorage.selector;
        access.setTargetFunctionRole(address(generators), restricted, 3);
        access.grantRole(3, address(this), 0);
    }

    function _register(uint32 i) private {
        GeneratorTerms memory terms = GeneratorTerms({
            connection: i,
            kind: GeneratorKind.Wind,
            storageBacked: i == 1,
            ownMeter: i == 1,
            nameplateW: NAMEPLATE_W,
            commissionedSlot: FIRST - 9,
            capacityFactorPpm: 300_000,
            operatingAboveWh: OPERATING_ABOVE_WH,
            maintenanceDays: i == 0 ? 0 : 1,
            maintenanceHours: i == 0 ? 0 : 1,
            locationHash: 0
        });
        producerOf[i] = ownerOf[i];
        VM.prank(ownerOf[i]);
        generators.register(terms);
        CertifiedModel.Model storage model = _models[i];
        (model.present, model.maintenanceDays, model.consented) = (FIRST - 1, terms.maintenanceDays, true);
        model.due = i == 0 ? CertifiedModel.NEVER : terms.commissionedSlot + SLOTS_PER_DAY;
        generators.certify(i, FIRST + 200, 0);
        model.certify(FIRST + 200);
    }
}
