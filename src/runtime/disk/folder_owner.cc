#include "runtime/disk/folder_owner.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <sys/random.h>

#include "runtime/disk/files.h"

namespace muster::runtime {
namespace {

constexpr std::string_view kOwnerName = "owner";
constexpr std::string_view kOwnerHead = "muster-folder 1";
constexpr std::string_view kIncarnationName = "incarnation";

Result<std::uint64_t> random_number() {
    std::uint64_t number = 0;
    while (number == 0) {
        if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
            return fail(Errc::io_error, std::string("getrandom: ") + std::strerror(errno));
        }
    }
    return number;
}

// The rest of the next line, which must begin with `key`; moves `text` behind it.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(key)) {
        return std::nullopt;
    }
    const std::string_view rest = text.substr(key.size(), end - key.size());
    text.remove_prefix(end + 1);
    return rest;
}

std::string write_owner(const FolderOwner& owner) {
    return fmt::format("{}\nfolder {:016x}\nnode {}\ncluster {}\n", kOwnerHead, owner.folder,
                       owner.node.raw(), owner.cluster);
}

std::optional<FolderOwner> read_owner(std::string_view text) {
    FolderOwner owner;
    const auto head = take_line(text, kOwnerHead);
    const auto folder = take_line(text, "folder ");
    const auto node = take_line(text, "node ");
    const auto cluster = take_line(text, "cluster ");
    if (!head || !head->empty() || !folder || !node || node->empty() || !cluster || !text.empty()) {
        return std::nullopt;
    }
    const auto [end, error] = std::from_chars(folder->begin(), folder->end(), owner.folder, 16);
    if (error != std::errc{} || end != folder->end() || owner.folder == 0) {
        return std::nullopt;
    }
    owner.node = NodeId(std::string(*node));
    owner.cluster = *cluster;
    return owner;
}

std::string where(const std::string& cluster) {
    return cluster.empty() ? "a registry of its own" : "cluster '" + cluster + "'";
}

std::unexpected<Error> not_ours(const DataFolder& folder, const FolderOwner& owner,
                                const FolderClaim& claim) {
    std::string what =
        "data folder " + folder.path().string() + " belongs to node '" + owner.node.raw() +
        "' of " + where(owner.cluster) + ", and this is " +
        (claim.node == NodeId{} ? std::string("a node") : "node '" + claim.node.raw() + "'") +
        " of " + where(claim.cluster) +
        "; nothing in it was changed. Give this node a folder of its own with --set "
        "data_dir=FOLDER";
    if (owner.cluster == claim.cluster) {
        what += ", or start it as the node it was with --node-id " + owner.node.raw();
    }
    return fail(Errc::conflict, std::move(what));
}

}  // namespace

Result<FolderOwner> claim_folder(const DataFolder& folder, const FolderClaim& claim) {
    const auto file = folder.path() / kOwnerName;
    const auto text = read_file(file);
    if (text) {
        auto owner = read_owner(*text);
        if (!owner) {
            return fail(Errc::corrupt,
                        file.string() +
                            " should say whose data folder this is, and does not: it is damaged, "
                            "or of another release. Put the file back, start the release that "
                            "wrote it, or begin with an empty folder (--set data_dir=FOLDER)");
        }
        if (owner->cluster != claim.cluster ||
            (claim.node != NodeId{} && owner->node != claim.node)) {
            return not_ours(folder, *owner, claim);
        }
        return *std::move(owner);
    }
    if (text.error().code != Errc::not_found) {
        return std::unexpected(text.error());
    }
    const auto number = random_number();
    MUSTER_TRY(number);
    FolderOwner owner{.folder = *number, .node = claim.node, .cluster = claim.cluster};
    if (owner.node == NodeId{}) {
        owner.node = NodeId(fmt::format("node-{:x}", owner.folder));
    }
    MUSTER_TRY(replace_durably(file, write_owner(owner)));
    return owner;
}

Result<NodeLife> begin_life(const DataFolder& folder, WallTime wall) {
    const auto file = folder.path() / kIncarnationName;
    std::uint64_t last = 0;
    if (const auto text = read_file(file)) {
        const std::string_view digits =
            text->ends_with('\n') ? std::string_view(*text).substr(0, text->size() - 1) : *text;
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), last);
        if (error != std::errc{} || end != digits.end() ||
            last == std::numeric_limits<std::uint64_t>::max()) {
            return fail(
                Errc::corrupt,
                file.string() + " should hold the number of the last start and nothing else");
        }
    } else if (text.error().code != Errc::not_found) {
        return std::unexpected(text.error());
    }
    const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(wall.unix_ms, 1));
    const std::uint64_t next = std::max(last + 1, clock);
    MUSTER_TRY(replace_durably(file, std::to_string(next) + "\n"));
    return NodeLife{.now = Incarnation(next), .before = Incarnation(last)};
}

}  // namespace muster::runtime
