// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
/*
 * A device that makes mediated devices of itself, for the lab host: no board that QEMU emulates
 * has one. It takes QEMU's pci-testdev, offers two types, and has room for two devices in all.
 *
 * What it makes is, to a guest, a PCI device with an identity and nothing else: no memory, no
 * interrupt. That is enough to be seen there, and cannot go wrong in many ways.
 *
 * Written for the interface of Linux 6.1 and later (struct mdev_parent in the driver's hands).
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#define ROOM 2
#define REGION_BITS 20 /* a region's number stands above these in a file position */
#define CONFIG_SIZE 256

struct made {
	struct vfio_device vdev;
	u8 config[CONFIG_SIZE];
};

static struct made *of(struct vfio_device *vdev)
{
	return container_of(vdev, struct made, vdev);
}

static int made_init(struct vfio_device *vdev)
{
	static const u8 identity[] = { 0x34, 0x12, 0x44, 0x4d }; /* 1234:4d44 */

	memcpy(of(vdev)->config, identity, sizeof(identity));
	of(vdev)->config[PCI_CLASS_DEVICE + 1] = 0xff; /* a class of its own */
	return 0;
}

static void made_release(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}

static int made_open(struct vfio_device *vdev)
{
	return 0;
}

/* The part of a read or write at *pos that lies in the configuration space; 0: none does. */
static size_t in_config(loff_t pos, size_t count)
{
	u64 offset = pos & ((1 << REGION_BITS) - 1);

	if (pos >> REGION_BITS != VFIO_PCI_CONFIG_REGION_INDEX || offset >= CONFIG_SIZE)
		return 0;
	return min_t(size_t, count, CONFIG_SIZE - offset);
}

static ssize_t made_read(struct vfio_device *vdev, char __user *to, size_t count, loff_t *pos)
{
	size_t size = in_config(*pos, count);

	if (!size)
		return -EINVAL;
	if (copy_to_user(to, of(vdev)->config + (*pos & (CONFIG_SIZE - 1)), size))
		return -EFAULT;
	*pos += size;
	return size;
}

/* Taken and forgotten: there is nothing that could be switched on. */
static ssize_t made_write(struct vfio_device *vdev, const char __user *from, size_t count,
			  loff_t *pos)
{
	size_t size = in_config(*pos, count);

	if (!size)
		return -EINVAL;
	*pos += size;
	return size;
}

static long tell_device(unsigned long arg)
{
	struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	size_t size = offsetofend(struct vfio_device_info, num_irqs);

	return copy_to_user((void __user *)arg, &info, size) ? -EFAULT : 0;
}

static long tell_region(unsigned long arg)
{
	struct vfio_region_info info;
	size_t size = offsetofend(struct vfio_region_info, offset);

	if (copy_from_user(&info, (void __user *)arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.flags = 0;
	info.size = 0;
	info.cap_offset = 0;
	info.offset = (u64)info.index << REGION_BITS;
	if (info.index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
		info.size = CONFIG_SIZE;
	}
	return copy_to_user((void __user *)arg, &info, size) ? -EFAULT : 0;
}

static long tell_interrupt(unsigned long arg)
{
	struct vfio_irq_info info;
	size_t size = offsetofend(struct vfio_irq_info, count);

	if (copy_from_user(&info, (void __user *)arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
	return copy_to_user((void __user *)arg, &info, size) ? -EFAULT : 0;
}

static long made_ioctl(struct vfio_device *vdev, unsigned int command, unsigned long arg)
{
	switch (command) {
	case VFIO_DEVICE_GET_INFO:
		return tell_device(arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return tell_region(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return tell_interrupt(arg);
	case VFIO_DEVICE_RESET:
		return 0;
	}
	return -ENOTTY;
}

static const struct vfio_device_ops made_ops = {
	.name = "lab-mdev",
	.init = made_init,
	.release = made_release,
	.open_device = made_open,
	.read = made_read,
	.write = made_write,
	.ioctl = made_ioctl,
};

static int made_probe(struct mdev_device *mdev)
{
	struct made *made = vfio_alloc_device(made, vdev, &mdev->dev, &made_ops);
	int error;

	if (IS_ERR(made))
		return PTR_ERR(made);
	error = vfio_register_emulated_iommu_dev(&made->vdev);
	if (error) {
		vfio_put_device(&made->vdev);
		return error;
	}
	dev_set_drvdata(&mdev->dev, made);
	return 0;
}

static void made_remove(struct mdev_device *mdev)
{
	struct made *made = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&made->vdev);
	vfio_put_device(&made->vdev);
}

static struct mdev_driver made_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = ROOM,
	.probe = made_probe,
	.remove = made_remove,
	.driver = {
		.name = "lab_mdev_made",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static struct mdev_type small = { .sysfs_name = "small", .pretty_name = "Lab device, small" };
static struct mdev_type large = { .sysfs_name = "large", .pretty_name = "Lab device, large" };
static struct mdev_type *types[] = { &small, &large };
static struct mdev_parent parent; /* There is one such board in the lab host. */

static int parent_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return mdev_register_parent(&parent, &pdev->dev, &made_driver, types, ARRAY_SIZE(types));
}

static void parent_remove(struct pci_dev *pdev)
{
	mdev_unregister_parent(&parent);
}

static const struct pci_device_id boards[] = { { PCI_DEVICE(0x1b36, 0x0005) }, {} };

static struct pci_driver parent_driver = {
	.name = "lab_mdev",
	.id_table = boards,
	.probe = parent_probe,
	.remove = parent_remove,
};

static int __init lab_mdev_init(void)
{
	int error = mdev_register_driver(&made_driver);

	if (error)
		return error;
	error = pci_register_driver(&parent_driver);
	if (error)
		mdev_unregister_driver(&made_driver);
	return error;
}

static void __exit lab_mdev_exit(void)
{
	pci_unregister_driver(&parent_driver);
	mdev_unregister_driver(&made_driver);
}

module_init(lab_mdev_init);
module_exit(lab_mdev_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated devices for tests");
