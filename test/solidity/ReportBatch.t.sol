// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MeterOracle} from "../../contracts/consumption/MeterOracle.sol";
import {IMeterOracle, Report} from "../../contracts/interfaces/IMeterOracle.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {CHEATS, Cheats} from "./market/Cheats.sol";

/// A batch does what its reports do one by one: two oracles get the same reports, one of them in one call.
contract ReportBatchTest {
    bytes32 private constant REPORT = keccak256(
        "Report(uint32 slot,uint8 version,uint8 attempt,bytes32 readingsHash,bytes32 root)"
    );
    /// The slot that is under way, and how many slots around the open ones are tried.
    uint32 private constant NOW = 2_000_000;
    uint32 private constant TRIED = 5;
    uint256 private constant SECP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    MeterOracle private _single;
    MeterOracle private _batch;
    uint256 private _settledVersions;
    uint256 private _draws;

    function setUp() external {
        (_single, _batch) = (
            new MeterOracle(address(this), address(this)),
            new MeterOracle(address(this), address(this))
        );
        address[] memory nodes = new address[](4);
        for (uint256 i = 0; i < 4; ++i) nodes[i] = CHEATS.addr(i + 1);
        _single.setCommittee(nodes, 1);
        _batch.setCommittee(nodes, 1);
        CHEATS.warp(uint256(NOW) * 900 + 400);
    }

    /// As an access manager.
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    /// As the settlement: two bits of version per slot; some were settled too long ago.
    function statusOf(uint32 slot) external view returns (ISettlement.Status, uint32, uint8) {
        uint8 version = uint8((_settledVersions >> (2 * (slot % 128))) % 4);
        if (version == 0) return (ISettlement.Status.Open, 0, 0);
        return (ISettlement.Status.Settled, slot % 3 == 0 ? NOW - 88 : NOW - 87, version);
    }

    function testFuzz_ABatchTakesWhatItsReportsTake(uint256 seed) external {
        _settledVersions = uint256(keccak256(abi.encode(seed)));
        _draws = seed;
        // Two rounds: the second one meets what the first one left.
        for (uint256 round = 0; round < 2; ++round) {
            bytes memory packed;
            uint256 expected;
            CHEATS.recordLogs();
            for (uint256 count = _pick(7); count != 0; --count) {
                Report memory r = Report(_slot(), uint8(_pick(4)), uint8(_pick(256)), _word(), _word());
                uint256 kind = _pick(14);
                try _single.report(r, _signed(_single, r, kind)) {
                    ++expected;
                } catch {}
                bytes memory signatures = _signed(_batch, r, kind);
                uint8 signers = uint8(signatures.length / 65);
                bytes memory head = abi.encodePacked(r.slot, r.version, r.attempt, signers, r.readingsHash, r.root);
                packed = bytes.concat(packed, head, signatures);
            }
            Cheats.Log[] memory one = CHEATS.getRecordedLogs();
            CHEATS.recordLogs();
            require(_batch.reportMany(packed) == expected, "another number was taken");
            _compareLogs(one, CHEATS.getRecordedLogs());
        }
        uint32[] memory slots = new uint32[](3 * TRIED);
        for (uint32 i = 0; i < slots.length; ++i) slots[i] = _first(i / TRIED) + (i % TRIED);
        require(
            keccak256(abi.encode(_single.entriesOf(slots))) == keccak256(abi.encode(_batch.entriesOf(slots))),
            "entries differ"
        );
        for (uint256 i = 0; i < slots.length; ++i) {
            (uint8 version, bytes28 digest) = _single.replacedOf(slots[i]);
            (uint8 other, bytes28 otherDigest) = _batch.replacedOf(slots[i]);
            require(version == other && digest == otherDigest, "what was replaced differs");
        }
    }

    /// The same reports were told, in the same words; what was not told is skipped.
    function _compareLogs(Cheats.Log[] memory one, Cheats.Log[] memory many) private pure {
        uint256 told;
        for (uint256 i = 0; i < many.length; ++i) {
            if (many[i].topics[0] == IMeterOracle.ReportSkipped.selector) continue;
            require(many[i].topics[1] == one[told].topics[1], "another slot was told");
            require(keccak256(many[i].data) == keccak256(one[told].data), "another report was told");
            ++told;
        }
        require(told == one.length, "a report was not told");
    }

    /// Around the present, where slots are open, and around the last that takes a report.
    function _slot() private returns (uint32) {
        return _first(_pick(3)) + uint32(_pick(TRIED));
    }

    function _first(uint256 where) private pure returns (uint32) {
        return
            where == 0
                ? NOW - 4
                : where == 1
                    ? NOW - 50
                    : NOW - 107;
    }

    /// By three or four nodes, and wrong in one of several ways.
    function _signed(MeterOracle oracle, Report memory r, uint256 kind) private view returns (bytes memory packed) {
        (, , , , address at_, , ) = oracle.eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DAEG"),
                keccak256("1"),
                block.chainid,
                at_
            )
        );
        bytes32 digest = keccak256(
            abi.encodePacked(
                hex"1901",
                domain,
                keccak256(
                    abi.encode(REPORT, r.slot, r.version, r.attempt, r.readingsHash, kind == 1 ? bytes32(0) : r.root)
                )
            )
        );
        uint256 signers =
            kind == 2
                ? 2
                : kind == 3
                    ? 0
                    : kind % 2 == 0
                        ? 3
                        : 4;
        for (uint256 i = 0; i < signers; ++i) {
            uint256 node = kind == 4 && i == 2 ? 1 : i;
            (uint8 v, bytes32 x, bytes32 y) = CHEATS.sign(kind == 6 && i == 1 ? 9 : node + 1, digest);
            uint256 vs = uint256(y) | (uint256(v - 27) << 255);
            // The other s of the same signature.
            if (kind == 8 && i == 0) vs = ((SECP_ORDER - uint256(y)) | (uint256(28 - v) << 255));
            if (kind == 10 && i == 2) (x, vs) = (0, 0);
            packed = bytes.concat(packed, abi.encodePacked(uint8(kind == 12 && i == 2 ? 200 : node), x, vs));
        }
    }

    function _word() private returns (bytes32) {
        return bytes32(_pick(type(uint256).max));
    }

    function _pick(uint256 below) private returns (uint256) {
        _draws = uint256(keccak256(abi.encode(_draws)));
        return _draws % below;
    }
}
